//! Dependencies between packages, as Cargo resolves them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    env,
    path::Path,
    process::Command,
};

use serde_json::Value;

/// Normal dependencies (neither for tests nor for build scripts) among all packages.
pub(crate) struct Packages {
    /// Ids of the workspace's packages, by name; [`Self::normal`] is keyed by id.
    pub(crate) ours: BTreeMap<String, String>,
    /// Names of all packages, by id.
    names: BTreeMap<String, String>,
    /// Resolved normal dependencies by package id, with default features, for the whole workspace.
    normal: BTreeMap<String, Vec<String>>,
    /// Declared normal dependencies by package name, including optional ones.
    declared: BTreeMap<String, BTreeSet<String>>,
}

impl Packages {
    pub(crate) fn of_workspace(root: &Path) -> Result<Self, String> {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version", "1"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("`cargo metadata` could not be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`cargo metadata` failed: {said}"));
        }
        let metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`cargo metadata` did not print JSON: {error}"))?;
        Ok(Self::from_metadata(&metadata))
    }

    pub(crate) fn from_metadata(metadata: &Value) -> Self {
        let members: BTreeSet<&str> = items(&metadata["workspace_members"]).map(text).collect();
        let mut found = Self {
            ours: BTreeMap::new(),
            names: BTreeMap::new(),
            normal: BTreeMap::new(),
            declared: BTreeMap::new(),
        };
        for package in items(&metadata["packages"]) {
            let (id, name) = (
                text(&package["id"]).to_owned(),
                text(&package["name"]).to_owned(),
            );
            if members.contains(id.as_str()) {
                found.ours.insert(name.clone(), id.clone());
                let declared = items(&package["dependencies"])
                    .filter(|dependency| dependency["kind"].is_null())
                    .map(|dependency| text(&dependency["name"]).to_owned());
                found.declared.insert(name.clone(), declared.collect());
            }
            found.names.insert(id, name);
        }
        for node in items(&metadata["resolve"]["nodes"]) {
            let normal = items(&node["deps"])
                .filter(|to| items(&to["dep_kinds"]).any(|kind| kind["kind"].is_null()))
                .map(|to| text(&to["pkg"]).to_owned());
            found
                .normal
                .insert(text(&node["id"]).to_owned(), normal.collect());
        }
        found
    }

    /// Iterates over the workspace packages that `name` declares as normal dependencies, including
    /// optional ones.
    pub(crate) fn declared_ours<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let declared = self.declared.get(name).into_iter().flatten();
        declared
            .filter(|dependency| self.ours.contains_key(*dependency))
            .map(String::as_str)
    }

    /// Returns a shortest chain of normal dependencies from the workspace package `name` to one
    /// whose name is `forbidden`, by package names.
    pub(crate) fn path_to(
        &self,
        name: &str,
        forbidden: impl Fn(&str) -> bool,
    ) -> Option<Vec<&str>> {
        let start = self.ours.get(name)?.as_str();
        let mut came_from: BTreeMap<&str, Option<&str>> = BTreeMap::from([(start, None)]);
        let mut queue = VecDeque::from([start]);
        while let Some(id) = queue.pop_front() {
            if id != start && self.names.get(id).is_some_and(|name| forbidden(name)) {
                let chain = std::iter::successors(Some(id), |id| *came_from.get(id)?);
                let mut path: Vec<&str> = chain
                    .filter_map(|id| self.names.get(id))
                    .map(String::as_str)
                    .collect();
                path.reverse();
                return Some(path);
            }
            for next in self.normal.get(id).into_iter().flatten() {
                if !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, Some(id));
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
