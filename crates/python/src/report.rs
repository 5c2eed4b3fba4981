//! Audits of latents.

use numpy::{PyArray2, PyArrayMethods as _, PyUntypedArrayMethods as _};
use pyo3::prelude::*;
use tellapart::audit::recorded::{RecordedAudit, RecordedAuditOptions};
use tellapart::audit::{Embeddings, PreciseLatents};
use tellapart::progress::Progress;
use tellapart::report::render_audit_html;
use tellapart::{AuditPageOptions, AuditableRecording, LatentsSource};

use crate::errors::data_error;
use crate::recording::{Evidence, text};
use crate::work::work;

/// The result of an audit. It keeps what its page shows.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct AuditReport {
    evidence: Py<Evidence>,
    latents: Py<PyAny>,
    audit: RecordedAudit,
}

#[pymethods]
impl AuditReport {
    /// Audits latents, `[rows, width]` in float32 or float64, contiguous.
    #[new]
    #[pyo3(signature = (
        evidence, latents, threshold=None, outliers=None, neighbors=None, pairs=None,
        same_observation=None, seed=None, truth=false, progress=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "named in Python")]
    fn new(
        py: Python<'_>,
        evidence: Py<Evidence>,
        latents: Bound<'_, PyAny>,
        threshold: Option<f64>,
        outliers: Option<f64>,
        neighbors: Option<usize>,
        pairs: Option<usize>,
        same_observation: Option<f64>,
        seed: Option<u64>,
        truth: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let usual = RecordedAuditOptions::default();
        let options = RecordedAuditOptions {
            threshold: threshold.unwrap_or(usual.threshold),
            outlier_tolerance: outliers.unwrap_or(usual.outlier_tolerance),
            neighbors: neighbors.unwrap_or(usual.neighbors),
            shown: pairs.unwrap_or(usual.shown),
            same_observation: same_observation.unwrap_or(usual.same_observation),
            seed: seed.unwrap_or(usual.seed),
            with_truth: truth,
        };
        let recording = evidence.get();
        let found = with_embeddings(&latents, |embeddings| {
            work(py, progress.as_ref(), |progress| {
                let audited = audited(recording, embeddings, progress)?;
                audited.audit(&options, progress)
            })
        })??;
        Ok(Self {
            audit: found.map_err(data_error)?,
            latents: latents.unbind(),
            evidence,
        })
    }

    /// Returns the document of `audit --json`.
    fn json(&self) -> PyResult<String> {
        text(&self.audit)
    }

    /// Returns the page, as HTML that needs nothing else.
    #[pyo3(signature = (data, latents, truth=false, progress=None))]
    fn page(
        &self,
        py: Python<'_>,
        data: String,
        latents: String,
        truth: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let options = AuditPageOptions {
            data,
            latents,
            with_truth: truth,
        };
        let recording = self.evidence.get();
        let audit = self.audit.clone();
        let page = with_embeddings(self.latents.bind(py), |embeddings| {
            work(py, progress.as_ref(), |progress| {
                let audited = audited(recording, embeddings, progress);
                let audited = audited.map_err(|error| error.to_string())?;
                let page = audited.page(audit, &options);
                let page = page.map_err(|error| error.to_string())?;
                render_audit_html(&page).map_err(|error| error.to_string())
            })
        })??;
        page.map_err(data_error)
    }
}

fn audited<'a>(
    recording: &'a Evidence,
    embeddings: Embeddings<'a>,
    progress: &dyn Progress,
) -> Result<AuditableRecording<'a>, tellapart::AuditRecordingError> {
    AuditableRecording::with_recorded(
        &recording.trajectories,
        &recording.recorded,
        LatentsSource::Embeddings(embeddings),
        &recording.options,
        progress,
    )
}

/// Borrows latents in float32, and copies those in float64, to go on with them.
fn with_embeddings<T>(
    latents: &Bound<'_, PyAny>,
    go_on: impl FnOnce(Embeddings<'_>) -> T,
) -> PyResult<T> {
    if let Ok(array) = latents.cast::<PyArray2<f32>>() {
        let values = array.try_readonly()?;
        let [rows, width] = [array.shape()[0], array.shape()[1]];
        let embeddings = Embeddings::new(values.as_slice()?, rows, width);
        return Ok(go_on(embeddings.map_err(data_error)?));
    }
    let Ok(array) = latents.cast::<PyArray2<f64>>() else {
        return Err(data_error(
            "latents: an array [rows, dimensions] of float32 or float64 is expected",
        ));
    };
    let values = array.try_readonly()?.as_slice()?.to_vec();
    let latents = PreciseLatents::new(values, array.shape()[0], array.shape()[1]);
    let latents = latents.map_err(data_error)?;
    Ok(go_on(latents.embeddings()))
}
