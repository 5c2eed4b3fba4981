use crate::text::{MISSING, escape};

/// A word as it is shown in a list: repeated actions once, with their number, and the beginning only
/// where it is long.
pub(crate) fn short_word_markup(actions: &[String], word: &[u32]) -> String {
    const RUNS: usize = 3;
    let runs: Vec<&[u32]> = word.chunk_by(|a, b| a == b).collect();
    let shown = runs.iter().take(RUNS).map(|run| {
        let key = word_markup(actions, Some(&run[..1]));
        match run.len() {
            1 => key,
            times => format!("{key}\u{d7}{times}"),
        }
    });
    let mut markup = shown.collect::<Vec<_>>().join(" ");
    let rest: usize = runs.iter().skip(RUNS).map(|run| run.len()).sum();
    if rest > 0 {
        markup += &format!(" +{rest}");
    }
    markup
}

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
