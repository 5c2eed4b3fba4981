//! Page whose data tries to be markup.

use tellapart_report::{AuditPage, PointColors};

/// Text that tries to end elements, attributes and scripts.
pub(crate) const HOSTILE: &str =
    "</script><script>window.marked=1</script>\"'><img src=x onerror=marked=1>&amp;<!--";

/// Puts hostile text wherever the page shows text from the data.
pub(crate) fn hostile(mut page: AuditPage) -> AuditPage {
    page.title = HOSTILE.into();
    if let Some(PointColors::Classes { names, .. }) = &mut page.colors {
        names.noun = HOSTILE.into();
        names.names.fill(HOSTILE.into());
    }
    for fact in page.settings.iter_mut().chain(&mut page.environment) {
        (fact.name, fact.value) = (HOSTILE.into(), HOSTILE.into());
    }
    let audit = &mut page.audit;
    audit.reason = HOSTILE.into();
    audit.warnings.fill(HOSTILE.into());
    audit.p = HOSTILE.into();
    audit.actions.fill(HOSTILE.into());
    audit.search.method = HOSTILE.into();
    audit.contradictions[0].kind = HOSTILE.into();
    audit.contradictions[0].action = None;
    audit.diagnostics.lidar_groups = Some(HOSTILE.into());
    audit.diagnostics.left_out = Some(HOSTILE.into());
    audit.diagnostics.contradicts = Some(HOSTILE.into());
    if let Some(certificate) = &mut audit.certificate {
        certificate.soundness = HOSTILE.into();
    }
    if let Some(healthy) = &mut audit.healthy {
        healthy.nuisances[0].array = HOSTILE.into();
    }
    page
}
