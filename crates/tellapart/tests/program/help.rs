use crate::run::{Folder, assert_snapshot};

/// The commands that the help of the program lists.
fn commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.map_while(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn help_of_every_command() {
    let folder = Folder::new();
    let all = folder.fine("--help");
    assert_snapshot("help", &all);
    let commands = commands(&all);
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

/// What the scripts hold is tested next to the commands, where clap's own list is.
#[test]
fn completions_are_printed_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.fine(&format!("completions {shell}"));
        assert!(script.contains("reproduce"), "{shell}");
    }
    let said = folder.error(2, "completions csh");
    assert!(said.contains("possible values"), "{said}");
}
