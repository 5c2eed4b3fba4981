//! Generates `docs/configuration.md`: all keys of a run, from the doc comments of their types.
//!
//! Meanings come from the sources, defaults from the program itself (`train --print-config`).

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path, process::Command};

use syn::{Attribute, Expr, Fields, Item, ItemEnum, ItemStruct, Lit, Meta, Type};
use toml::{Table, Value};

const PAGE: &str = "docs/configuration.md";

/// Source files of the types; the first holds `Config`.
const SOURCES: &[&str] = &[
    "crates/train/src/config/mod.rs",
    "crates/model/src/pjepa.rs",
    "crates/model/src/predictor.rs",
    "crates/model/src/head.rs",
    "crates/model/src/encoder/mod.rs",
    "crates/model/src/encoder/cnn.rs",
    "crates/kernels/src/simd/precision.rs",
    "crates/env/src/counting/options.rs",
];

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

Unknown keys and impossible values are errors that name what would do:

```console
$ tellapart train configs/joint-reward.toml optimiser.updates=3
error: optimiser.updates=3: there is no key `optimiser.updates`; did you mean `optimizer.updates`?
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
    let types = Types::read(root)?;
    let mut text = INTRODUCTION.to_owned();
    types.table("", "Config", &defaults(root)?, &mut text)?;
    Ok(text)
}

/// Returns the configuration to which the program resolves an empty one.
fn defaults(root: &Path) -> Result<Table, String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--package", "tellapart", "--", "train"]);
    command.args(["configs/joint-reward.toml", "--print-config"]);
    let output = command.current_dir(root).output();
    let output = output.map_err(|error| format!("`cargo run` could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.parse().map_err(|error| format!("defaults: {error}"))
}

/// Structs and enums by name.
struct Types {
    structs: BTreeMap<String, ItemStruct>,
    enums: BTreeMap<String, ItemEnum>,
}

impl Types {
    fn read(root: &Path) -> Result<Self, String> {
        let (mut structs, mut enums) = (BTreeMap::new(), BTreeMap::new());
        for source in SOURCES {
            let text = fs::read_to_string(root.join(source));
            let text = text.map_err(|error| format!("{source}: {error}"))?;
            let file = syn::parse_file(&text).map_err(|error| format!("{source}: {error}"))?;
            for item in file.items {
                match item {
                    Item::Struct(item) => {
                        structs.insert(item.ident.to_string(), item);
                    }
                    Item::Enum(item) => {
                        enums.insert(item.ident.to_string(), item);
                    }
                    _ => {}
                }
            }
        }
        Ok(Self { structs, enums })
    }

    /// Adds a section for a struct, then one for each struct in it.
    fn table(
        &self,
        path: &str,
        name: &str,
        defaults: &Table,
        text: &mut String,
    ) -> Result<(), String> {
        let item = self
            .structs
            .get(name)
            .ok_or(format!("no struct {name} in the sources"))?;
        let heading = if path.is_empty() {
            "Top level".to_owned()
        } else {
            format!("`[{path}]`")
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {heading}\n\n{}\n\n",
            documentation(&item.attrs).join("\n")
        );
        text.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        let Fields::Named(fields) = &item.fields else {
            return Err(format!("{name} has no named fields"));
        };
        let mut inner = Vec::new();
        for field in &fields.named {
            let key = field
                .ident
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let kind = type_name(&field.ty);
            if self.structs.contains_key(&kind) {
                inner.push((key, kind));
                continue;
            }
            let mut meaning = documentation(&field.attrs).join(" ");
            let choices = self.enums.get(&kind).map(choices).unwrap_or_default();
            if !choices.is_empty() {
                meaning += "<br>";
                meaning += &choices.join("<br>");
            }
            let default = defaults
                .get(&key)
                .map_or("absent".to_owned(), |value| format!("`{value}`"));
            let kind = in_words(&kind, defaults.get(&key));
            let _ = writeln!(
                text,
                "| `{key}` | {kind} | {default} | {} |",
                meaning.replace('|', "\\|")
            );
        }
        for (key, kind) in inner {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let empty = Table::new();
            let defaults = defaults
                .get(&key)
                .and_then(Value::as_table)
                .unwrap_or(&empty);
            self.table(&path, &kind, defaults, text)?;
        }
        Ok(())
    }
}

/// Returns the variants of an enum as spelled in files, with meanings; empty if one has fields.
fn choices(item: &ItemEnum) -> Vec<String> {
    let plain = item
        .variants
        .iter()
        .all(|variant| variant.fields.is_empty());
    let variants = item.variants.iter().filter(|_| plain);
    let described = variants.map(|variant| {
        let meaning = documentation(&variant.attrs).join(" ");
        format!("`{}`: {meaning}", kebab(&variant.ident.to_string()))
    });
    described.collect()
}

/// Returns the lines of a doc comment, with links to items turned into code.
fn documentation(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            lines.push(without_links(line.value().trim()));
        }
    }
    lines
}

/// Turns ``[`Name`](path)`` and ``[`Name`]`` into `` `Name` ``.
fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once("[`") {
        text += before;
        let Some((name, behind)) = link.split_once("`]") else {
            return text + "[`" + link;
        };
        let _ = write!(text, "`{name}`");
        rest = match behind
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
        {
            Some((_, behind)) => behind,
            None => behind,
        };
    }
    text + rest
}

/// Returns the last name of a type, or of the type inside an `Option`.
fn type_name(kind: &Type) -> String {
    let Type::Path(path) = kind else {
        return String::new();
    };
    let Some(last) = path.path.segments.last() else {
        return String::new();
    };
    if last.ident == "Option"
        && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        return type_name(inner);
    }
    last.ident.to_string()
}

fn in_words(kind: &str, default: Option<&Value>) -> &'static str {
    match (kind, default) {
        ("u8" | "u16" | "u32" | "u64" | "usize", _) => "whole number",
        ("f32" | "f64", _) => "number",
        ("bool", _) => "true or false",
        ("Vec", _) => "list",
        ("String", _) => "text",
        _ => "choice",
    }
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
