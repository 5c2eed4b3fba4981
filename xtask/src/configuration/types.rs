//! Types of the configuration, read from their sources.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use syn::{
    Attribute, Expr, Fields, Ident, Item, ItemEnum, ItemStruct, Lit, LitInt, LitStr, Meta, Token,
    Type, Variant,
    parse::{ParseStream, Parser as _},
};

/// File whose macro `worlds!` lists the worlds. Their options are not types that `syn` can see.
const WORLDS: &str = "crates/env/src/world.rs";

/// Structs and enums by name.
#[derive(Default)]
pub(super) struct Types {
    pub(super) structs: BTreeMap<String, ItemStruct>,
    pub(super) enums: BTreeMap<String, ItemEnum>,
}

impl Types {
    pub(super) fn read(root: &Path, sources: &[impl AsRef<Path>]) -> Result<Self, String> {
        let mut types = Self::default();
        for source in sources {
            for item in parsed(&root.join(source))?.items {
                match item {
                    Item::Struct(item) => {
                        types.structs.insert(item.ident.to_string(), item);
                    }
                    Item::Enum(item) => {
                        types.enums.insert(item.ident.to_string(), item);
                    }
                    _ => {}
                }
            }
        }
        Ok(types)
    }

    pub(super) fn structure(&self, name: &str) -> Result<&ItemStruct, String> {
        let found = self.structs.get(name);
        found.ok_or_else(|| format!("no struct {name} in the sources"))
    }
}

fn parsed(path: &Path) -> Result<syn::File, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| named(&error))?;
    syn::parse_file(&text).map_err(|error| named(&error))
}

/// World, with the types of its options.
pub(super) struct World {
    pub(super) name: String,
    pub(super) meaning: String,
    pub(super) types: Types,
}

/// Returns the worlds that `worlds!` lists.
pub(super) fn worlds(root: &Path) -> Result<Vec<World>, String> {
    let mut worlds = Vec::new();
    for (name, module) in listed_worlds(&parsed(&root.join(WORLDS))?)? {
        let folder = root.join("crates/env/src").join(module);
        let entries = fs::read_dir(&folder).map_err(|error| format!("{name}: {error}"))?;
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let module = documentation(&parsed(&folder.join("mod.rs"))?.attrs);
        worlds.push(World {
            name,
            meaning: first_paragraph(&module).join(" "),
            types: Types::read(root, &files)?,
        });
    }
    Ok(worlds)
}

/// Returns the names and modules in `worlds! { Variant: "name", module, repeat N; ... }`.
fn listed_worlds(file: &syn::File) -> Result<Vec<(String, String)>, String> {
    let tokens = file.items.iter().find_map(|item| match item {
        Item::Macro(item) if item.mac.path.is_ident("worlds") => Some(item.mac.tokens.clone()),
        _ => None,
    });
    let tokens = tokens.ok_or_else(|| format!("{WORLDS}: `worlds!` is not there"))?;
    let list = |input: ParseStream<'_>| {
        let mut listed = Vec::new();
        while !input.is_empty() {
            input.call(Attribute::parse_outer)?;
            input.parse::<Ident>()?;
            input.parse::<Token![:]>()?;
            let name = input.parse::<LitStr>()?.value();
            input.parse::<Token![,]>()?;
            let module = input.parse::<Ident>()?.to_string();
            input.parse::<Token![,]>()?;
            input.parse::<Ident>()?;
            input.parse::<LitInt>()?;
            input.parse::<Token![;]>()?;
            listed.push((name, module));
        }
        Ok(listed)
    };
    let listed = list.parse2(tokens);
    listed.map_err(|error| format!("{WORLDS}: `worlds!`: {error}"))
}

/// Field of a struct.
pub(super) struct Field {
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) meaning: String,
}

pub(super) fn fields(item: &ItemStruct) -> Result<Vec<Field>, String> {
    let Fields::Named(named) = &item.fields else {
        return Err(format!("{} has no named fields", item.ident));
    };
    let fields = named.named.iter().map(|field| Field {
        key: field
            .ident
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        kind: type_name(&field.ty),
        meaning: documentation(&field.attrs).join(" "),
    });
    Ok(fields.collect())
}

/// Returns the key that says which variant a table is, of an enum that has one.
pub(super) fn tag(item: &ItemEnum) -> Option<String> {
    let mut tag = None;
    for attribute in &item.attrs {
        if attribute.path().is_ident("serde") {
            let _ = attribute.parse_nested_meta(|meta| {
                let value = meta.value()?.parse::<LitStr>()?.value();
                if meta.path.is_ident("tag") {
                    tag = Some(value);
                }
                Ok(())
            });
        }
    }
    tag
}

pub(super) fn first_paragraph(lines: &[String]) -> &[String] {
    let end = lines.iter().position(String::is_empty);
    &lines[..end.unwrap_or(lines.len())]
}

/// Returns the variants of an enum as spelled in files, with meanings; empty if one has fields.
pub(super) fn choices(item: &ItemEnum) -> Vec<String> {
    let has_fields = |variant: &Variant| !variant.fields.is_empty();
    let plain = !item.variants.iter().any(has_fields);
    let variants = item.variants.iter().filter(|_| plain);
    let described = variants.map(|variant| {
        let meaning = documentation(&variant.attrs).join(" ");
        format!("`{}`: {meaning}", kebab(&variant.ident.to_string()))
    });
    described.collect()
}

/// Returns the lines of a doc comment, with links to items turned into code.
pub(super) fn documentation(attributes: &[Attribute]) -> Vec<String> {
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
pub(super) fn type_name(kind: &Type) -> String {
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

pub(super) fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn every_world_is_listed_with_its_options() {
        let worlds = worlds(root()).unwrap();
        let names: Vec<&str> = worlds.iter().map(|world| world.name.as_str()).collect();
        assert_eq!(names, ["counting", "gridworld", "torus"]);
        for world in &worlds {
            assert!(world.types.structure("Options").is_ok(), "{}", world.name);
            assert!(world.meaning.ends_with('.'), "{}", world.meaning);
        }
    }
}
