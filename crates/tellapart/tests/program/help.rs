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

#[test]
fn completions_for_every_shell_name_every_command_and_option() {
    let folder = Folder::new();
    let all = folder.fine("--help");
    let commands = commands(&all);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.fine(&format!("completions {shell}"));
        for command in &commands {
            assert!(script.contains(command), "{shell}: {command}");
            let help = folder.fine(&format!("{command} --help"));
            let words = help.split(|c: char| !(c.is_alphanumeric() || c == '-'));
            for option in words.filter_map(|word| word.strip_prefix("--")) {
                assert!(script.contains(option), "{shell}: {command} --{option}");
            }
        }
    }
    assert!(
        folder
            .error(2, "completions csh")
            .contains("possible values")
    );
}
