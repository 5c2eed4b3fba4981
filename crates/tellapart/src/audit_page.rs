//! The page of an audit: the findings, with the observations and latents they refer to.

use std::collections::{BTreeSet, HashMap};

use tellapart_audit::recorded::{LatentMap, RecordedAudit};
use tellapart_audit::{AuditError, Embeddings, Recorded};
use tellapart_data::{Frames, Trajectories};
use tellapart_report::{
    AuditPage, ClassNames, Fact, Observed, Picture, PointColors, ReportError, ShownRow,
};

use crate::audit_recording::{AuditRecordingError, AuditableRecording};

/// Number of latents on the map; it is drawn in a few seconds.
const POINTS: usize = 1500;

/// Reason why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditPageError {
    /// Latents that are not finite.
    #[error(transparent)]
    Latents(#[from] AuditRecordingError),
    /// A decomposition that failed.
    #[error("cannot draw the map of the latents: {0}")]
    Map(#[from] AuditError),
    /// A picture that does not fit its shape.
    #[error("cannot draw the page: {0}")]
    Page(#[from] ReportError),
}

/// What a page of an audit is called, and what it may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPageOptions {
    /// Name of the recording, such as its path.
    pub data: String,
    /// Name of the latents, such as the path of their file.
    pub latents: String,
    /// Whether the map of the latents is colored by the hidden states of the recording, if it has
    /// them, and not by `p`.
    pub with_truth: bool,
}

impl AuditableRecording<'_> {
    /// Gathers everything that the page of a finding shows;
    /// [`render_audit_html`](tellapart_report::render_audit_html) renders it.
    ///
    /// # Errors
    /// If the latents are not finite, or the page cannot be drawn.
    pub fn page(
        &self,
        audit: RecordedAudit,
        options: &AuditPageOptions,
    ) -> Result<AuditPage, AuditPageError> {
        let embeddings = self.embeddings()?;
        drawn(
            audit,
            options,
            self.recording(),
            self.recorded(),
            &embeddings,
        )
    }
}

fn drawn(
    audit: RecordedAudit,
    options: &AuditPageOptions,
    trajectories: &Trajectories,
    recorded: &Recorded,
    embeddings: &Embeddings<'_>,
) -> Result<AuditPage, AuditPageError> {
    let wanted: Vec<usize> = audit
        .pairs
        .iter()
        .flat_map(|pair| [pair.i, pair.j])
        .collect();
    let map = LatentMap::draw(embeddings, &wanted, POINTS)?;
    let colors = if let (true, Some(states)) = (options.with_truth, &trajectories.state_ids) {
        let of_point: Vec<u32> = map.rows.iter().map(|&row| states[row]).collect();
        let classes = of_point.iter().max().map_or(0, |&most| most + 1);
        PointColors::Classes {
            names: ClassNames {
                noun: "state".to_owned(),
                names: (0..classes).map(|class| class.to_string()).collect(),
            },
            of_point,
        }
    } else {
        PointColors::Values {
            name: audit.p.clone(),
            of_point: map
                .rows
                .iter()
                .map(|&row| recorded.p(row).first().copied().unwrap_or(f64::NAN))
                .collect(),
        }
    };
    let mut seen: BTreeSet<usize> = wanted.into_iter().collect();
    for pair in &audit.pairs {
        seen.extend(pair.trace_i.iter().chain(&pair.trace_j));
    }
    let AuditPageOptions { data, latents, .. } = options;
    Ok(AuditPage {
        title: format!("{latents} against {data}"),
        map: Some(map),
        colors: Some(colors),
        rows: shown_rows(trajectories, &seen)?,
        settings: vec![
            Fact::new("Recording", data),
            Fact::new("Latents", latents),
            Fact::new("p", format!("{} of the {}", audit.p, audit.p_of)),
            Fact::new("World", audit.world.in_words()),
            Fact::new(
                "Threshold of the required Lipschitz constant",
                audit.threshold,
            ),
            Fact::new("Neighbors of each latent", audit.search.neighbors),
        ],
        environment: vec![Fact::new("tellapart", env!("CARGO_PKG_VERSION"))],
        audit,
    })
}

fn shown_rows(
    trajectories: &Trajectories,
    rows: &BTreeSet<usize>,
) -> Result<Vec<ShownRow>, ReportError> {
    let mut place = HashMap::new();
    for (episode, range) in trajectories.episodes().enumerate() {
        let start = range.start;
        for &row in rows.range(range) {
            place.insert(row, (episode, row - start));
        }
    }
    rows.iter()
        .map(|&row| {
            let (episode, step) = place.get(&row).copied().unwrap_or_default();
            Ok(ShownRow {
                row,
                episode,
                step,
                observed: observed(&trajectories.observations, row)?,
            })
        })
        .collect()
}

/// Returns an RGB or gray image as a picture, anything else as its values.
fn observed(frames: &Frames, row: usize) -> Result<Observed, ReportError> {
    let bytes = |values: &[u8], width: usize| values[row * width..(row + 1) * width].to_vec();
    Ok(match frames {
        Frames::U8 { shape, values } => match shape[..] {
            [height, width, 3] => Observed::Picture(Picture::new(
                [height, width],
                bytes(values, height * width * 3),
            )?),
            [height, width] | [height, width, 1] => {
                let gray = bytes(values, height * width);
                let pixels = gray.into_iter().flat_map(|value| [value; 3]).collect();
                Observed::Picture(Picture::new([height, width], pixels)?)
            }
            _ => {
                let numbers = bytes(values, shape.iter().product());
                Observed::Values(numbers.into_iter().map(f64::from).collect())
            }
        },
        Frames::F32 { shape, values } => {
            let width: usize = shape.iter().product();
            let numbers = &values[row * width..(row + 1) * width];
            Observed::Values(numbers.iter().copied().map(f64::from).collect())
        }
        Frames::Other { shape, values } => {
            let width: usize = shape.iter().product();
            let numbers = row * width..(row + 1) * width;
            Observed::Values(numbers.map(|at| values.number(at)).collect())
        }
    })
}
