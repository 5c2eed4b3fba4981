use crate::run::{Folder, assert_snapshot};

#[test]
fn help_of_every_command() {
    let folder = Folder::new();
    let all = folder.fine("--help");
    assert_snapshot("help", &all);
    let listed = all.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.map_while(|line| line.split_whitespace().next());
    let commands: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(commands.contains(&"embed"), "{commands:?}");
    for command in commands {
        let help = folder.fine(&format!("{command} --help"));
        for line in help.lines() {
            assert!(line.chars().count() <= 110, "{command}: {line}");
        }
        assert_snapshot(&format!("help-{command}"), &help);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let expected = format!("tellapart {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Folder::new().fine("--version"), expected);
}

#[test]
fn completions_for_every_shell_name_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.fine(&format!("completions {shell}"));
        for word in [
            "bisim",
            "convert",
            "collect",
            "inspect",
            "--quotient",
            "--episodes",
        ] {
            let word = word.trim_start_matches('-');
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert!(
        folder
            .error(2, "completions csh")
            .contains("possible values")
    );
}
