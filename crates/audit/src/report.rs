//! Report of an audit against known truth.

use serde::{Deserialize, Serialize};
use tellapart_bisim::SplittingTree;
use tellapart_system::MooreMachine;

use crate::clusters::MERGED_WITHIN_SPREADS;
use crate::{AuditError, Certificate, Classes, Clusters, Embeddings, OpenLoop, Probe, Spectrum};

/// Findings of an audit against known truth.
///
/// [`AuditReport::against_truth`] measures what embeddings and classes alone can show. Probes,
/// open-loop errors and the certificate need more than that; the caller adds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Number of observations audited.
    pub observations: usize,
    /// Number of latent dimensions.
    pub latent_width: usize,
    /// Geometry of the true classes in latent space, and which are merged.
    pub clusters: Clusters,
    /// Number of directions that the latents use.
    pub spectrum: Spectrum,
    /// Linear probes of the latents.
    pub probes: Vec<Probe>,
    /// Open-loop errors of the auxiliary value.
    pub open_loop: Option<OpenLoop>,
    /// Classes that are provably apart.
    pub certificate: Option<Certificate>,
}

/// Largest number of merged pairs that a sentence lists.
const LISTED: usize = 36;

impl AuditReport {
    /// Audits embeddings whose true classes are the blocks of the largest bisimulation of a system,
    /// numbered as its partition numbers them. Every merged pair gets a shortest witness word.
    /// O(n^2 d), plus one refinement of the system.
    ///
    /// # Errors
    /// If the labels do not fit the embeddings or the system, or a decomposition fails.
    pub fn against_truth(
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
        system: &MooreMachine,
    ) -> Result<Self, AuditError> {
        let tree = SplittingTree::new(system);
        let partition = tree.partition();
        if classes.count() != partition.blocks() {
            return Err(AuditError::ForeignPartition {
                found: classes.count(),
                expected: partition.blocks(),
            });
        }
        let mut clusters = Clusters::measure(embeddings, classes, MERGED_WITHIN_SPREADS)?;
        let state_of = partition.representatives();
        for pair in &mut clusters.merged {
            pair.witness = tree
                .witness(state_of[pair.a as usize], state_of[pair.b as usize])
                .map(|word| word.iter().map(|action| action.get()).collect());
        }
        Ok(Self {
            observations: embeddings.rows(),
            latent_width: embeddings.width(),
            clusters,
            spectrum: Spectrum::measure(embeddings)?,
            probes: Vec::new(),
            open_loop: None,
            certificate: None,
        })
    }

    /// Words the finding in one or two plain sentences, e.g. "Merges 0-1, 1-2, 6-7 (3 of 36 pairs
    /// of classes). ..."
    #[must_use]
    pub fn summary(&self) -> String {
        let filled = self
            .clusters
            .classes
            .iter()
            .filter(|class| class.observations > 0)
            .count();
        let pairs = filled * filled.saturating_sub(1) / 2;
        let merged = &self.clusters.merged;
        let mut text = if filled < 2 {
            "There are fewer than two classes among the observations, so none can be merged."
                .to_owned()
        } else if merged.is_empty() {
            format!("Keeps all {filled} classes apart.")
        } else if merged.len() == pairs {
            format!("Merges every class with every other (all {pairs} pairs).")
        } else {
            let mut list: Vec<String> = merged
                .iter()
                .take(LISTED)
                .map(|pair| format!("{}-{}", pair.a, pair.b))
                .collect();
            if merged.len() > LISTED {
                list.push(format!("and {} more", merged.len() - LISTED));
            }
            format!(
                "Merges {} ({} of {pairs} pairs of classes).",
                list.join(", "),
                merged.len()
            )
        };
        text += &format!(
            " The nearest centroid is the right one for {:.1} % of the observations.",
            100.0 * self.clusters.nearest_centroid_accuracy
        );
        if let Some(certificate) = &self.certificate {
            text += &format!(
                " {} of {} pairs are certified apart{}.",
                certificate.certified,
                certificate.pairs.len(),
                if certificate.declared {
                    ""
                } else {
                    ", by an unknown distance: no Lipschitz constants are declared"
                }
            );
            if let Some(soundness) = certificate.soundness
                && soundness.violations > 0
            {
                text += &format!(
                    " BUT {} pairs of observations break their bound: a Lipschitz constant is wrong.",
                    soundness.violations
                );
            }
        }
        text
    }
}
