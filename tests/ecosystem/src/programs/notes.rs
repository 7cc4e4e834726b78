//! A web application on axum: notes that are stored and returned as JSON.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};

use super::host::{sendable, sleep, spawn};
use super::http::{Server, Version};
use super::http_client::ask;

/// A note, as a client sends and receives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    text: String,
}

type Notes = Arc<Mutex<Vec<Note>>>;

/// Returns the routes: `GET /notes?containing=TEXT`, `POST /notes`, and `GET /notes/NUMBER`.
pub fn routes() -> Router {
    Router::new()
        .route("/notes", get(list).post(add))
        .route("/notes/{number}", get(one))
        .with_state(Notes::default())
}

/// The filter of a listing.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    containing: String,
}

async fn list(State(notes): State<Notes>, Query(wanted): Query<Wanted>) -> Json<Vec<Note>> {
    let notes = notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    Json(notes.iter().filter(|note| note.text.contains(&wanted.containing)).cloned().collect())
}

async fn add(State(notes): State<Notes>, Json(note): Json<Note>) -> (StatusCode, String) {
    // Waits, as for a database. axum requires a handler's future to be `Send`, and cotask's sleep is not.
    sendable(sleep(Duration::from_millis(1))).await;
    let mut notes = notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    notes.push(note);
    (StatusCode::CREATED, format!("/notes/{}", notes.len()))
}

async fn one(State(notes): State<Notes>, Path(number): Path<usize>) -> Response {
    let notes = notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match number.checked_sub(1).and_then(|index| notes.get(index)) {
        Some(note) => Json(note.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, format!("there are {} notes", notes.len())).into_response(),
    }
}

/// Writes, reads and misuses the notes over one connection. Returns the answers in words.
///
/// # Errors
/// When a connection fails.
pub async fn tour() -> Result<Vec<String>> {
    let server = Server::bind("127.0.0.1:0", Version::Http1).await?;
    let address = server.address()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (errors, heard) = mpsc::unbounded();
    let server = spawn(server.serve(TowerToHyperService::new(routes()), stopped, errors));

    let request = |method: &str, path: &str, body: &'static str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from_static(body.as_bytes())))
    };
    let requests = [
        ("POST", "/notes", r#"{"text":"wake the task"}"#),
        ("POST", "/notes", r#"{"text":"poll it again"}"#),
        ("GET", "/notes", ""),
        ("GET", "/notes?containing=poll", ""),
        ("GET", "/notes/1", ""),
        ("GET", "/notes/9", ""),
        ("GET", "/notes/first", ""),
        ("POST", "/notes", r#"{"text":"#),
        ("DELETE", "/notes", ""),
    ];
    let made = requests.iter().map(|(method, path, body)| request(method, path, body));
    let answers = ask(address, made.collect::<Result<Vec<_>, _>>()?).await?;
    let mut told: Vec<String> = requests
        .iter()
        .zip(answers)
        .map(|((method, path, _), (status, body))| {
            format!("{method} {path}: {} {}", status.as_u16(), String::from_utf8_lossy(&body))
        })
        .collect();

    drop(stop);
    told.push(format!("{} connection", server.await?));
    told.extend(heard.collect::<Vec<String>>().await);
    Ok(told)
}
