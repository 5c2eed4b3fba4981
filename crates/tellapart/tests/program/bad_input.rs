//! Bad usage of no command in particular.

use crate::run::Folder;

#[test]
fn wrong_words_are_bad_usage() {
    let folder = Folder::new();
    assert!(folder.error(2, "").contains("Usage: tellapart"));
    assert!(
        folder
            .error(2, "bism")
            .contains("similar subcommand exists: 'bisim'")
    );
    assert!(folder.error(2, "bisim").contains("<SYSTEM>"));
    assert!(folder.error(2, "bisim counting --jsn").contains("'--json'"));
    assert!(folder.error(2, "inspect a b").contains("'b'"));
    assert!(
        folder
            .error(2, "-q -v bisim counting")
            .contains("cannot be used with")
    );
}
