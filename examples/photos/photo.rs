//! A photo: made up, written and read as PPM, blurred, and made small.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::common::progress;

/// Red, green and blue.
pub(crate) const CHANNELS: usize = 3;

/// Width and height of a thumbnail.
pub(crate) const THUMBNAIL: usize = 32;

/// Each pixel becomes the mean of those so far around it.
const RADIUS: usize = 3;

/// Three box blurs look nearly like a Gaussian one (P. Kovesi, "Fast almost-Gaussian filtering", 2010).
const PASSES: usize = 3;

/// The pixels of a thumbnail.
pub(crate) struct Thumbnail(pub(crate) Vec<u8>);

/// Writes so many photos into the directory.
pub(crate) fn make(directory: &Path, photos: u64, side: usize) -> Result<Vec<PathBuf>> {
    let bar = progress(photos, "writing");
    let mut files = Vec::new();
    for number in 0..photos {
        let file = directory.join(format!("{number:04}.ppm"));
        let mut bytes = format!("P6\n{side} {side}\n255\n").into_bytes();
        let mut noise = number + 1;
        for y in 0..side {
            for x in 0..side {
                // A gradient with some noise (xorshift64).
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                let grain = (noise >> 58) as usize;
                bytes.extend([x + grain, y + grain, x + y + number as usize].map(|value| value as u8));
            }
        }
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(files)
}

/// All the work on one photo: reads the file, blurs it, makes it small.
///
/// # Errors
///
/// When the file cannot be read, or is no photo of ours.
pub(crate) fn import(file: &Path) -> Result<Thumbnail> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    thumbnail(&bytes).with_context(|| format!("{} is no square PPM photo", file.display()))
}

/// The thumbnail of the photo in these bytes, if they are one.
pub(crate) fn thumbnail(bytes: &[u8]) -> Option<Thumbnail> {
    let (side, pixels) = parse(bytes)?;
    let mut pixels = pixels.to_vec();
    for _ in 0..PASSES {
        // Rows, then columns: a box is the product of the two.
        pixels = blur(&pixels, side, CHANNELS, side * CHANNELS);
        pixels = blur(&pixels, side, side * CHANNELS, CHANNELS);
    }
    Some(shrink(&pixels, side))
}

/// The side and the pixels of a PPM file (`P6`, maximum 255) that is square.
fn parse(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut rest = bytes;
    let mut word = || {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let (word, after) = rest.split_at(end);
        rest = &after[1..];
        str::from_utf8(word).ok()
    };
    let (kind, width, height, depth) = (word()?, word()?, word()?, word()?);
    let (width, height): (usize, usize) = (width.parse().ok()?, height.parse().ok()?);
    let right = kind == "P6" && depth == "255" && width == height && width >= THUMBNAIL;
    let length = width.checked_mul(height)?.checked_mul(CHANNELS)?;
    (right && rest.len() == length).then_some((width, rest))
}

/// Blurs lines of `side` pixels whose neighbours are `step` bytes apart and whose starts are `line` bytes apart. A sum that
/// slides along takes one value in and one out, so that the time does not depend on the radius.
fn blur(pixels: &[u8], side: usize, step: usize, line: usize) -> Vec<u8> {
    let mut blurred = vec![0; pixels.len()];
    for start in (0..side).map(|number| number * line) {
        for channel in 0..CHANNELS {
            let at = |index: usize| start + channel + index * step;
            let mut sum: usize = (0..RADIUS).map(|index| usize::from(pixels[at(index)])).sum();
            let mut count = RADIUS;
            for index in 0..side {
                if index + RADIUS < side {
                    sum += usize::from(pixels[at(index + RADIUS)]);
                    count += 1;
                }
                if index > RADIUS {
                    sum -= usize::from(pixels[at(index - RADIUS - 1)]);
                    count -= 1;
                }
                blurred[at(index)] = (sum / count) as u8;
            }
        }
    }
    blurred
}

/// One pixel of the thumbnail is the mean of a square of the photo.
fn shrink(pixels: &[u8], side: usize) -> Thumbnail {
    let square = side / THUMBNAIL;
    let mut small = Vec::with_capacity(THUMBNAIL * THUMBNAIL * CHANNELS);
    for (top, left) in (0..THUMBNAIL).flat_map(|y| (0..THUMBNAIL).map(move |x| (y * square, x * square))) {
        for channel in 0..CHANNELS {
            let inside = (top..top + square).flat_map(|y| (left..left + square).map(move |x| (y, x)));
            let sum: usize =
                inside.map(|(y, x)| usize::from(pixels[(y * side + x) * CHANNELS + channel])).sum();
            small.push((sum / (square * square)) as u8);
        }
    }
    Thumbnail(small)
}
