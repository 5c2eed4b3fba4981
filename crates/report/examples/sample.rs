//! Writes a page and figures of made-up runs, for work on the design:
//! `cargo run -p tellapart-report --example sample -- OUT.html`

use std::error::Error;
use std::path::PathBuf;

#[path = "../tests/made_up/mod.rs"]
mod made_up;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("usage: sample OUT.html")?);
    let page = made_up::page()?;
    std::fs::write(&out, tellapart_report::render_html(&page)?)?;
    let run = &page.runs[0];
    if let (Some(scatter), Some(distances), Some(pairs)) =
        (&run.scatter, &run.distances, &run.reconstructions)
    {
        use tellapart_report::figures;
        std::fs::write(
            out.with_extension("scatter.svg"),
            figures::scatter(scatter, &page.classes),
        )?;
        std::fs::write(
            out.with_extension("curves.svg"),
            figures::curves(&run.charts[0]),
        )?;
        std::fs::write(
            out.with_extension("distances.png"),
            figures::distance_matrix(distances)?,
        )?;
        std::fs::write(
            out.with_extension("distances.svg"),
            figures::labeled_distance_matrix(distances, &page.classes)?,
        )?;
        std::fs::write(
            out.with_extension("pictures.png"),
            figures::reconstructions(pairs, 3)?,
        )?;
    }
    Ok(())
}
