//! Generates `docs/configuration.md`: all keys of a run, from the doc comments of their types.
//!
//! Meanings come from the sources, defaults from the program itself (`train --print-config`).

mod types;

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

use syn::{Fields, ItemEnum};
use toml::{Table, Value};

use types::{
    Field, Types, World, choices, documentation, fields, first_paragraph, kebab, tag, type_name,
    worlds,
};

const PAGE: &str = "docs/configuration.md";

/// Source files of the types, next to those of the worlds; the first holds `Config`.
const SOURCES: &[&str] = &[
    "crates/train/src/config/mod.rs",
    "crates/model/src/config.rs",
    "crates/model/src/predictor.rs",
    "crates/model/src/head.rs",
    "crates/model/src/encoder/mod.rs",
    "crates/model/src/encoder/cnn.rs",
    "crates/model/src/encoder/resnet.rs",
    "crates/model/src/encoder/patch.rs",
    "crates/model/src/encoder/mlp.rs",
    "crates/model/src/encoder/vit.rs",
    "crates/model/src/objective/dynamics.rs",
    "crates/model/src/objective/target.rs",
    "crates/kernels/src/simd/precision.rs",
];

/// Type that `worlds!` makes, and the key that says which of them it is.
const WORLD_OPTIONS: (&str, &str) = ("WorldOptions", "world");

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask docs` from the doc comments of the configuration types. Do not edit. -->

# Configuration

A run is one TOML file. Every key has a default, and the defaults are the `joint-reward` run. The four runs of the
experiment are `configs/*.toml`, a few lines each; `configs/settings/*.toml` are layers over them.

```toml
# configs/reward-only.toml
name = \"reward-only\"

[target]
kind = \"reward\"

[gradients]
dynamics = false
```

Any key can be changed on the command line as `key.path=value`, where values are TOML or bare words. What a run
resolves to is printed by `--print-config`, and stands in `config.toml` of every run directory.

```sh
tellapart train configs/joint-reward.toml seed=7 optimizer.updates=600 --out runs/short
tellapart train configs/reward-only.toml model.encoder=patch --print-config
```

Three tables have keys that depend on a choice: `environment`, `model.encoder` and `gradients.target`. A bare word in
place of such a table makes the choice, with the default options of that choice. Words after it change these options:

```sh
tellapart train configs/joint-reward.toml model.encoder=vit model.encoder.depth=2 --print-config
tellapart train configs/joint-reward.toml environment=torus environment.p=column --print-config
tellapart train configs/joint-reward.toml gradients.target=ema gradients.target.decay=0.999 --print-config
```

In a file, the same choice is a key of the table:

```toml
[model.encoder]
kind = \"vit\"
depth = 2
```

Another choice begins its table anew: options of the choice before are gone. Unknown keys and impossible values are
errors that name what would do:

```console
$ tellapart train configs/joint-reward.toml optimiser.updates=3
error: optimiser.updates=3: there is no key `optimiser.updates`; did you mean `optimizer.updates`?
$ tellapart train configs/joint-reward.toml environment=torus environment.p=rows
error: environment.p=rows: there is no choice `rows`, expected one of `constant`, `x-even`, `chequer`, `column`, `diagonal`, `lattice`, `two-goals`, `goal` in `environment`
```
";

/// Writes the page.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    fs::write(root.join(PAGE), page(root)?).map_err(|error| format!("{PAGE}: {error}"))
}

/// Checks that the page equals what would be written.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let found = fs::read_to_string(root.join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    if found == page(root)? {
        Ok(())
    } else {
        Err(format!(
            "{PAGE} does not fit the sources: run `cargo xtask docs`"
        ))
    }
}

fn page(root: &Path) -> Result<String, String> {
    let writer = Writer {
        types: Types::read(root, SOURCES)?,
        worlds: worlds(root)?,
        resolve: &|words| resolved(root, words),
    };
    let mut text = INTRODUCTION.to_owned();
    writer.section("", "Config", &(writer.resolve)(&[])?, &mut text)?;
    Ok(text)
}

/// Returns the configuration that the program makes of the default one and these words.
fn resolved(root: &Path, words: &[String]) -> Result<Table, String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--package", "tellapart", "--", "train"]);
    command.args(["configs/joint-reward.toml", "--print-config"]);
    let output = command.args(words).current_dir(root).output();
    let output = output.map_err(|error| format!("`cargo run` could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.parse().map_err(|error| format!("defaults: {error}"))
}

/// One of the tables that a choice makes.
struct Alternative<'a> {
    tag: String,
    meaning: String,
    options: String,
    types: &'a Types,
}

struct Writer<'a> {
    types: Types,
    worlds: Vec<World>,
    /// Returns the configuration that words on the command line make.
    resolve: &'a dyn Fn(&[String]) -> Result<Table, String>,
}

impl Writer<'_> {
    /// Adds the section of a struct, then those of the tables in it.
    fn section(
        &self,
        path: &str,
        name: &str,
        defaults: &Table,
        text: &mut String,
    ) -> Result<(), String> {
        let item = self.types.structure(name)?;
        let heading = match path {
            "" => "Top level".to_owned(),
            _ => format!("`[{path}]`"),
        };
        let about = documentation(&item.attrs).join("\n");
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {heading}\n\n{about}\n");
        let (mut leaves, mut inner) = (Vec::new(), Vec::<(String, Vec<Field>)>::new());
        for field in fields(item)? {
            match inner.iter_mut().find(|(kind, _)| *kind == field.kind) {
                Some((_, alike)) => alike.push(field),
                None if self.is_table(&field.kind) => inner.push((field.kind.clone(), vec![field])),
                None => leaves.push(field),
            }
        }
        table(&self.types, &leaves, &[defaults], text);
        let empty = Table::new();
        let below = |field: &Field| defaults.get(&field.key).and_then(Value::as_table);
        let below = |field: &Field| below(field).unwrap_or(&empty);
        for (kind, alike) in inner {
            let paths = alike.iter().map(|field| match path {
                "" => field.key.clone(),
                _ => format!("{path}.{}", field.key),
            });
            let paths: Vec<String> = paths.collect();
            if let Some((tag, alternatives)) = self.alternatives(&kind)? {
                for (field, path) in alike.iter().zip(&paths) {
                    let chosen = below(field).get(&tag);
                    self.choice(path, field, (&tag, chosen), &alternatives, text)?;
                }
            } else if let [field] = &alike[..] {
                self.section(&paths[0], &kind, below(field), text)?;
            } else {
                let tables: Vec<&Table> = alike.iter().map(below).collect();
                self.shared(&paths, &alike, &tables, text)?;
            }
        }
        Ok(())
    }

    /// Adds one section for several tables of one type.
    fn shared(
        &self,
        paths: &[String],
        alike: &[Field],
        defaults: &[&Table],
        text: &mut String,
    ) -> Result<(), String> {
        let headings: Vec<String> = paths.iter().map(|path| format!("`[{path}]`")).collect();
        let item = self.types.structure(&alike[0].kind)?;
        let about = documentation(&item.attrs).join("\n");
        let _ = write!(text, "\n## {}\n\n{about}\n\n", headings.join(", "));
        for (field, path) in alike.iter().zip(paths) {
            let _ = writeln!(text, "- `{path}`: {}", field.meaning);
        }
        text.push_str("\nDefaults are in the order of the tables.\n");
        table(&self.types, &fields(item)?, defaults, text);
        Ok(())
    }

    /// Adds the section of a table whose keys depend on a choice, and one for each alternative.
    fn choice(
        &self,
        path: &str,
        field: &Field,
        (tag, chosen): (&str, Option<&Value>),
        alternatives: &[Alternative<'_>],
        text: &mut String,
    ) -> Result<(), String> {
        let _ = write!(text, "\n## `[{path}]`\n\n{}\n", field.meaning);
        let meanings: Vec<String> = alternatives
            .iter()
            .map(|one| format!("`{}`: {}", one.tag, one.meaning))
            .collect();
        text.push_str(HEADER);
        row(
            (tag, "choice"),
            &shown(chosen),
            &meanings.join("<br>"),
            text,
        );
        for one in alternatives {
            let item = one.types.structure(&one.options)?;
            let fields = fields(item)?;
            let mut about = documentation(&item.attrs);
            if one.options == "Options" {
                // What follows is about the type in Rust.
                about = first_paragraph(&about).to_vec();
            }
            let about = about.join("\n");
            let _ = write!(
                text,
                "\n### `[{path}]` with `{tag} = \"{}\"`\n\n{about}\n",
                one.tag
            );
            let resolved = (self.resolve)(&[format!("{path}={}", one.tag)])?;
            let mut parts = path.split('.');
            let found = parts.try_fold(&resolved, |table, part| table.get(part)?.as_table());
            let found = found.ok_or_else(|| format!("{path}={}: no such table", one.tag))?;
            table(one.types, &fields, &[found], text);
        }
        Ok(())
    }

    fn is_table(&self, kind: &str) -> bool {
        let tagged = |item: &ItemEnum| tag(item).is_some();
        kind == WORLD_OPTIONS.0
            || self.types.structs.contains_key(kind)
            || self.types.enums.get(kind).is_some_and(tagged)
    }

    /// Returns the tag and the alternatives of a type whose keys depend on a choice. `None` if it
    /// is another type.
    fn alternatives(&self, kind: &str) -> Result<Option<(String, Vec<Alternative<'_>>)>, String> {
        if kind == WORLD_OPTIONS.0 {
            let worlds = self.worlds.iter().map(|world| Alternative {
                tag: world.name.clone(),
                meaning: world.meaning.clone(),
                options: "Options".to_owned(),
                types: &world.types,
            });
            return Ok(Some((WORLD_OPTIONS.1.to_owned(), worlds.collect())));
        }
        let Some(item) = self.types.enums.get(kind) else {
            return Ok(None);
        };
        let Some(tag) = tag(item) else {
            return Ok(None);
        };
        let mut alternatives = Vec::new();
        for variant in &item.variants {
            let Fields::Unnamed(fields) = &variant.fields else {
                return Err(format!("{kind}::{} has no options", variant.ident));
            };
            let options = fields.unnamed.first().map(|field| type_name(&field.ty));
            alternatives.push(Alternative {
                tag: kebab(&variant.ident.to_string()),
                meaning: documentation(&variant.attrs).join(" "),
                options: options.unwrap_or_default(),
                types: &self.types,
            });
        }
        Ok(Some((tag, alternatives)))
    }
}

const HEADER: &str = "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n";

/// Adds a table of keys, none if there are no keys. There may be several tables of defaults.
fn table(types: &Types, fields: &[Field], defaults: &[&Table], text: &mut String) {
    if fields.is_empty() {
        return;
    }
    text.push_str(HEADER);
    for field in fields {
        let choices = types.enums.get(&field.kind).map(choices);
        let choices = choices.unwrap_or_default();
        let mut meaning = field.meaning.clone();
        if !choices.is_empty() {
            meaning += "<br>";
            meaning += &choices.join("<br>");
        }
        let found = defaults.iter().map(|table| shown(table.get(&field.key)));
        let mut found: Vec<String> = found.collect();
        if found.iter().all(|one| *one == found[0]) {
            found.truncate(1);
        }
        row(
            (&field.key, in_words(&field.kind)),
            &found.join(", "),
            &meaning,
            text,
        );
    }
}

/// Adds a row of a table of keys.
fn row((key, kind): (&str, &str), default: &str, meaning: &str, text: &mut String) {
    let meaning = meaning.replace('|', "\\|");
    let _ = writeln!(text, "| `{key}` | {kind} | {default} | {meaning} |");
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("absent".to_owned(), |value| format!("`{value}`"))
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "whole number",
        "f32" | "f64" => "number",
        "bool" => "true or false",
        "Vec" => "list",
        "String" | "Source" | "ActionRule" => "text",
        _ => "choice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn a_choice_has_its_tag_and_the_options_of_each_alternative() {
        let writer = Writer {
            types: Types::read(root(), SOURCES).unwrap(),
            worlds: worlds(root()).unwrap(),
            resolve: &|_| Err("nothing is resolved here".to_owned()),
        };
        for (kind, tag, names) in [
            ("WorldOptions", "world", "counting gridworld torus"),
            ("EncoderConfig", "kind", "cnn resnet patch mlp vit"),
            ("Target", "kind", "same stop-gradient ema"),
        ] {
            let (found, alternatives) = writer.alternatives(kind).unwrap().unwrap();
            let tags: Vec<&str> = alternatives.iter().map(|one| one.tag.as_str()).collect();
            assert_eq!((found.as_str(), tags.join(" ").as_str()), (tag, names));
            for one in &alternatives {
                assert!(one.types.structure(&one.options).is_ok(), "{}", one.tag);
            }
        }
        assert!(writer.alternatives("Sampling").unwrap().is_none());
    }
}
