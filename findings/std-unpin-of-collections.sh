#!/usr/bin/env bash
# Question: A collection keeps its elements on the heap, so moving the collection does not move them. Which collections of
#   futures that are not Unpin are Unpin themselves?
# Guess: all of them, as Box is: Vec, VecDeque, HashMap, BTreeMap.
# Version: rustc 1.95.0 and its standard library.
# What happens: Box, Rc, Arc and BTreeMap are; Vec, VecDeque and HashMap are not. Box and Rc have an implementation of their
#   own. For the others it is derived from their private fields: Vec's contain a PhantomData of the element, BTreeMap's one
#   of a Box.
# Source: rustc 1.95.0, library/alloc: src/raw_vec, src/collections/btree/map.rs, src/boxed.rs, src/rc.rs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.rs <<'RUST'
fn unpin<T: Unpin>(_: T) {}

fn main() {
    let future = async { 7 };
    #[cfg(in_box)]
    unpin(Box::new(future));
    #[cfg(in_rc)]
    unpin(std::rc::Rc::new(future));
    #[cfg(in_arc)]
    unpin(std::sync::Arc::new(future));
    #[cfg(in_btree_map)]
    unpin(std::collections::BTreeMap::from([(1, future)]));
    #[cfg(in_vec)]
    unpin(vec![future]);
    #[cfg(in_vec_deque)]
    unpin(std::collections::VecDeque::from([future]));
    #[cfg(in_hash_map)]
    unpin(std::collections::HashMap::from([(1, future)]));
}
RUST
seen=""
for place in in_box in_rc in_arc in_btree_map in_vec in_vec_deque in_hash_map; do
    if rustc --edition 2024 --cfg "$place" -A warnings --emit metadata -o out main.rs 2>message; then
        seen+="$place: Unpin"$'\n'
    else
        grep -q 'cannot be unpinned' message
        seen+="$place: not Unpin"$'\n'
    fi
done
printf '%s' "$seen"
[ "$seen" = 'in_box: Unpin
in_rc: Unpin
in_arc: Unpin
in_btree_map: Unpin
in_vec: not Unpin
in_vec_deque: not Unpin
in_hash_map: not Unpin
' ]
