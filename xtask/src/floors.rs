//! Checks the layering of packages in floors and the absence of Burn, by the table that
//! ARCHITECTURE.md draws.

use std::path::Path;

use crate::packages::Packages;

/// All packages of the workspace with their floors. A package may depend on lower floors only.
const FLOORS: &[(&str, u8)] = &[
    ("tellapart-files", 0),
    ("tellapart-progress", 0),
    ("tellapart-settings", 0),
    ("tellapart-kernels", 0),
    ("tellapart-system", 1),
    ("tellapart-bisim", 2),
    ("tellapart-env", 2),
    ("tellapart-data", 2),
    ("tellapart-model", 3),
    ("tellapart-train", 4),
    ("tellapart-audit", 4),
    ("tellapart-report", 5),
    ("tellapart", 6),
    // No package may depend on these.
    ("tellapart-python", 7),
    ("tellapart-benches", 7),
    ("tellapart-xtask", 7),
];

/// Packages that may use fewer workspace packages than their floor allows, with those they may use.
const ONLY: &[(&str, &[&str])] = &[
    ("tellapart-kernels", &[]),
    // Worlds read and write no files.
    ("tellapart-env", &["tellapart-system"]),
    // Embeddings enter as plain slices, from any framework.
    (
        "tellapart-audit",
        &[
            "tellapart-progress",
            "tellapart-kernels",
            "tellapart-system",
            "tellapart-bisim",
            "tellapart-data",
        ],
    ),
    // A report is made of records.
    ("tellapart-report", &["tellapart-audit"]),
    ("tellapart-xtask", &[]),
];

/// Packages that must not depend on Burn, not even indirectly.
const WITHOUT_BURN: &[&str] = &[
    "tellapart-files",
    "tellapart-progress",
    "tellapart-settings",
    "tellapart-kernels",
    "tellapart-system",
    "tellapart-bisim",
    "tellapart-env",
    "tellapart-data",
    "tellapart-audit",
    "tellapart-report",
    "tellapart-xtask",
];

pub(crate) fn check(root: &Path) -> Result<(), String> {
    let problems = problems(&Packages::of_workspace(root)?);
    if problems.is_empty() {
        println!(
            "{} packages on their floors, Burn absent where it must be",
            FLOORS.len()
        );
        return Ok(());
    }
    Err(format!("\n  {}", problems.join("\n  ")))
}

fn problems(packages: &Packages) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, _) in FLOORS
        .iter()
        .filter(|(name, _)| !packages.ours.contains_key(*name))
    {
        problems.push(format!("{name} has a floor but is not in the workspace"));
    }
    for name in packages.ours.keys() {
        let Some(floor) = floor(name) else {
            problems.push(format!(
                "{name} has no floor: give it one in xtask/src/floors.rs"
            ));
            continue;
        };
        let only = ONLY
            .iter()
            .find(|(restricted, _)| restricted == name)
            .map(|(_, only)| only);
        for used in packages.declared_ours(name) {
            if let Some(below) = self::floor(used).filter(|&below| below >= floor) {
                let floors = format!("floor {floor}, {used} to floor {below}");
                problems.push(format!(
                    "{name} depends on {used}, but it belongs to {floors}"
                ));
            } else if only.is_some_and(|only| !only.contains(&used)) {
                problems.push(format!(
                    "{name} depends on {used}, which must be absent from it"
                ));
            }
        }
    }
    for name in WITHOUT_BURN {
        let burn = |package: &str| package == "burn" || package.starts_with("burn-");
        if let Some(path) = packages.path_to(name, burn) {
            problems.push(format!("{name} must not see Burn: {}", path.join(" -> ")));
        }
    }
    problems
}

fn floor(name: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, floor)| floor)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Checks a workspace of the packages of the table with these dependencies (from, to, kind),
    /// and returns its problems.
    fn found(dependencies: &[(&str, &str, Value)]) -> Vec<String> {
        let ours: Vec<&str> = FLOORS.iter().map(|&(name, _)| name).collect();
        let all = [&ours[..], &["burn", "burn-core", "middle"]].concat();
        let of = |name: &str| -> Vec<_> {
            let from = dependencies.iter().filter(|(from, ..)| *from == name);
            from.map(|(_, to, kind)| (*to, kind.clone())).collect()
        };
        let packages: Vec<Value> = all
            .iter()
            .map(|name| {
                json!({
                    "id": name, "name": name,
                    "dependencies": of(name).iter()
                        .map(|(to, kind)| json!({ "name": to, "kind": kind })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let nodes: Vec<Value> = all
            .iter()
            .map(|name| {
                json!({
                    "id": name,
                    "deps": of(name).iter()
                        .map(|(to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
                        .collect::<Vec<_>>(),
                })
            })
            .collect();
        let metadata = json!({ "workspace_members": ours, "packages": packages, "resolve": { "nodes": nodes }});
        problems(&Packages::from_metadata(&metadata))
    }

    fn assert_one_problem(dependencies: &[(&str, &str, Value)], expected: &str) {
        let problems = found(dependencies);
        assert!(
            problems.len() == 1 && problems[0].contains(expected),
            "{problems:?}"
        );
    }

    #[test]
    fn a_house_in_order_has_no_problems() {
        let normal = Value::Null;
        assert_eq!(
            found(&[
                ("tellapart-system", "tellapart-files", normal.clone()),
                ("tellapart-train", "tellapart-model", normal.clone()),
                ("tellapart-model", "burn", normal),
                ("tellapart-env", "tellapart-bisim", json!("dev")),
                ("tellapart-data", "burn", json!("dev")),
            ]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_dependency_upwards_or_sideways_is_found() {
        let expected = "tellapart-data depends on tellapart-model";
        assert_one_problem(
            &[("tellapart-data", "tellapart-model", Value::Null)],
            expected,
        );
        let expected = "tellapart-bisim depends on tellapart-data";
        assert_one_problem(
            &[("tellapart-bisim", "tellapart-data", Value::Null)],
            expected,
        );
    }

    #[test]
    fn what_must_be_absent_is_found_at_any_depth() {
        let expected = "tellapart-env depends on tellapart-files, which must be absent";
        assert_one_problem(
            &[("tellapart-env", "tellapart-files", Value::Null)],
            expected,
        );
        let deep = [
            ("tellapart-bisim", "middle", Value::Null),
            ("middle", "burn-core", Value::Null),
        ];
        assert_one_problem(
            &deep,
            "tellapart-bisim must not see Burn: tellapart-bisim -> middle -> burn-core",
        );
    }
}
