//! Words of actions as markup, with a key for each action.

use maud::{Markup, html};

use crate::text::MISSING;

/// Returns a witness; an en dash if there is none.
pub(crate) fn witness(actions: &[String], word: Option<&[u32]>) -> Markup {
    html! {
        @match word {
            None => (MISSING),
            Some([]) => span.now { "differ at once" },
            Some(word) => @for (index, &action) in word.iter().enumerate() {
                @if index > 0 { " " }
                (key(actions, action))
            },
        }
    }
}

/// Returns the key of an action, with its name or, without one, its id.
pub(crate) fn key(actions: &[String], action: u32) -> Markup {
    html! {
        kbd {
            @match actions.get(action as usize) {
                Some(name) => (name),
                None => (action),
            }
        }
    }
}

/// Returns a word, with one key and a count for each run of equal actions.
pub(crate) fn runs(actions: &[String], word: &[u32]) -> Markup {
    html! {
        @for (index, run) in word.chunk_by(|a, b| a == b).enumerate() {
            @if index > 0 { " " }
            (key(actions, run[0]))
            @if run.len() > 1 { "\u{d7}" (run.len()) }
        }
    }
}

/// Returns the first runs of equal actions of a word, and how many actions follow.
pub(crate) fn beginning(actions: &[String], word: &[u32]) -> Markup {
    const SHOWN: usize = 3;
    let shown: usize = word
        .chunk_by(|a, b| a == b)
        .take(SHOWN)
        .map(<[u32]>::len)
        .sum();
    html! {
        (runs(actions, &word[..shown]))
        @if shown < word.len() { " +" (word.len() - shown) }
    }
}
