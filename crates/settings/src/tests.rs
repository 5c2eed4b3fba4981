#![allow(clippy::unwrap_used)]

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Run {
    seed: u64,
    sizes: Vec<u32>,
    world: World,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum World {
    Line(Line),
    Ring(Ring),
}

impl Default for World {
    fn default() -> Self {
        Self::Line(Line::default())
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Line {
    length: u32,
    open: bool,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ring {
    radius: f32,
}

fn keys() -> Keys {
    let ring = Run {
        world: World::Ring(Ring::default()),
        ..Run::default()
    };
    let choice = Choice {
        table: "world",
        tag: "kind",
        default: "line",
    };
    Keys::of([&Run::default(), &ring])
        .with_choices(&[choice])
        .with_renamed(&[("sizs", "sizes")])
}

fn made(layers: &[&str], words: &[&str]) -> Result<Run, SettingError> {
    let keys = keys();
    let mut settings = Settings::new(&keys);
    for (index, layer) in layers.iter().enumerate() {
        settings.layer(layer, &format!("layer {index}"))?;
    }
    for word in words {
        settings.word(word)?;
    }
    settings.finish()
}

fn error(layers: &[&str], words: &[&str]) -> String {
    made(layers, words).unwrap_err().to_string()
}

#[test]
fn later_layers_and_words_win_key_by_key() {
    let found = made(
        &["seed = 3\n[world]\nlength = 4", "[world]\nopen = true"],
        &["seed=5", "world.length = 6"],
    );
    let world = World::Line(Line {
        length: 6,
        open: true,
    });
    let expected = Run {
        seed: 5,
        sizes: Vec::new(),
        world,
    };
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn another_choice_begins_its_table_anew_and_a_word_is_a_choice() {
    let layer = "[world]\nlength = 4";
    for words in [["world.kind=ring"], ["world=ring"]] {
        let found = made(&[layer], &words).unwrap();
        assert_eq!(found.world, World::Ring(Ring::default()));
    }
    // A bare word is the choice with its defaults, a tag alone changes nothing else.
    let same = made(&[layer], &["world=line"]).unwrap();
    assert_eq!(same.world, World::Line(Line::default()));
    let same = made(&[layer], &["world.kind=line"]).unwrap();
    let expected = Line {
        length: 4,
        open: false,
    };
    assert_eq!(same.world, World::Line(expected));
    let text = error(&[], &["world.radius=1"]);
    assert!(
        text.starts_with("world.radius=1: there is no key `radius`"),
        "{text}"
    );
    assert!(error(&[], &["world=rong"]).contains("`ring`"));
}

#[test]
fn lists_take_any_form() {
    for word in ["sizes=1,2", "sizes=[1, 2]", "sizes=[1,2]"] {
        assert_eq!(made(&[], &[word]).unwrap().sizes, [1, 2], "{word}");
    }
    assert_eq!(made(&[], &["sizes=7"]).unwrap().sizes, [7]);
}

#[test]
fn errors_name_the_origin_and_what_would_do() {
    assert!(error(&["sed = 1"], &[]).contains("did you mean `seed`?"));
    assert!(error(&[], &["zzz=1"]).contains("the keys are seed, sizes"));
    assert!(error(&[], &["sizs=1"]).contains("is called `sizes`"));
    assert!(error(&[], &["seed"]).contains("key.path=value"));
    assert!(error(&[], &["seed=x"]).starts_with("seed=x: "));
    assert!(error(&[], &["seed=x"]).contains("a whole number"));
    assert!(error(&["[world"], &[]).contains("layer 0"));
}

#[test]
fn words_make_the_same_settings_and_differences_name_them() {
    let run = made(
        &[],
        &["seed=4", "sizes=1,2", "world=ring", "world.radius=1.5"],
    )
    .unwrap();
    let words = words_of(&run);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The choice comes after one of its keys in the alphabet, so it is given first.
    let mut sorted = words.clone();
    sorted.sort_by_key(|word| !word.contains("kind"));
    assert_eq!(made(&[], &sorted).unwrap(), run);
    let text = differences(&Run::default(), &run);
    assert!(text.contains("seed: 0, not 4"), "{text}");
}

#[test]
fn a_base_gives_what_no_layer_says_except_in_another_choice() {
    let base = made(&[], &["seed=4", "world.length=9"]).unwrap();
    let keys = keys();
    let mut settings = Settings::over(&keys, &base);
    settings.word("world.open=true").unwrap();
    let world = World::Line(Line {
        length: 9,
        open: true,
    });
    assert_eq!(
        typed::<Run>(settings.table.clone(), "").unwrap().world,
        world
    );
    settings.word("world=ring").unwrap();
    let found = settings.finish().unwrap();
    assert_eq!((found.seed, found.world), (4, World::Ring(Ring::default())));
}
