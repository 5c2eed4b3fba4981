//! Writes the page of a made-up audit, for work on the design:
//! `cargo run -p tellapart-report --example audit -- OUT.html`

use std::error::Error;

#[path = "../tests/made_up_audit/mod.rs"]
mod made_up_audit;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("usage: audit OUT.html")?;
    let page = made_up_audit::page()?;
    std::fs::write(out, tellapart_report::render_audit_html(&page)?)?;
    Ok(())
}
