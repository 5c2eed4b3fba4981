use crate::text::{MISSING, escape};

/// A word of actions as keys, by the names of the actions; an id without a name shows itself.
pub(crate) fn word_markup(actions: &[String], word: Option<&[u32]>) -> String {
    match word {
        None => MISSING.to_owned(),
        Some([]) => "<span class=\"now\">differ at once</span>".to_owned(),
        Some(word) => {
            let steps: Vec<String> = word
                .iter()
                .map(|&action| {
                    let name = actions.get(action as usize).cloned();
                    format!(
                        "<kbd>{}</kbd>",
                        escape(&name.unwrap_or_else(|| action.to_string()))
                    )
                })
                .collect();
            steps.join(" ")
        }
    }
}

/// The same word, repeated actions once with their number.
pub(crate) fn run_markup(actions: &[String], word: &[u32]) -> String {
    let keys: Vec<String> = runs(word).map(|run| run_of(actions, run)).collect();
    keys.join(" ")
}

/// The beginning of the word where it is long, and how many actions follow.
pub(crate) fn short_markup(actions: &[String], word: &[u32]) -> String {
    const SHOWN: usize = 3;
    let beginning: usize = runs(word).take(SHOWN).map(<[u32]>::len).sum();
    match word.len() - beginning {
        0 => run_markup(actions, word),
        rest => format!("{} +{rest}", run_markup(actions, &word[..beginning])),
    }
}

fn runs(word: &[u32]) -> impl Iterator<Item = &[u32]> {
    word.chunk_by(|a, b| a == b)
}

fn run_of(actions: &[String], run: &[u32]) -> String {
    let key = word_markup(actions, Some(&run[..1]));
    match run.len() {
        1 => key,
        times => format!("{key}\u{d7}{times}"),
    }
}
