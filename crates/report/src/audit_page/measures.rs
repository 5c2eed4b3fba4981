//! Sections on the latents and the recording as a whole.

use maud::{Markup, html};
use tellapart_audit::recorded::{
    ContradictionRecord, Diagnostics, HealthyCollapse, KeptNuisance, RecordedAudit,
    RecordedCertificate,
};

use crate::elements::{column_heads, fact, figure, scrolling, section};
use crate::figures::draw_curves;
use crate::text::{MISSING, grouped, number, percent};
use crate::words::key;
use crate::{Chart, Scale, Series};

/// Returns the sections that follow the pairs.
pub(super) fn sections(audit: &RecordedAudit) -> Markup {
    html! {
        (diagnostics(&audit.diagnostics, audit.latent_width))
        @if let Some(healthy) = &audit.healthy { (healthy_collapse(healthy)) }
        @if let Some(found) = &audit.certificate { (certificate(found)) }
        (coverage(audit))
    }
}

fn diagnostics(diagnostics: &Diagnostics, width: usize) -> Markup {
    let of_width = |rank: Option<f64>| match rank {
        Some(rank) => format!("{} of {width}", number(rank)),
        None => MISSING.to_owned(),
    };
    let lidar = match &diagnostics.lidar_groups {
        Some(groups) => format!("LiDAR, groups by {groups}"),
        None => "LiDAR".to_owned(),
    };
    let values = diagnostics.singular_values.iter().copied();
    let chart = Chart {
        title: "Singular values of the latents".into(),
        x_label: "index of the singular value".into(),
        scale: Scale::Logarithmic,
        series: vec![Series {
            name: "singular value".into(),
            points: (1u32..).map(f64::from).zip(values).collect(),
        }],
    };
    let body = html! {
        p.intro {
            "Statistics of all latents at once. They measure how much room the latents use, not \
             what they keep apart."
        }
        @if let Some(sentence) = &diagnostics.left_out { p.intro { (sentence) } }
        @if let Some(sentence) = &diagnostics.contradicts { p.alarm { (sentence) } }
        div.multiples.wide {
            dl.record {
                (fact("RankMe", of_width(diagnostics.rankme)))
                (fact("Effective rank, centered", of_width(diagnostics.effective_rank)))
                (fact(&lidar, number(diagnostics.lidar)))
                (fact("Mean distance of two rows", number(diagnostics.mean_distance)))
                (fact("Mean distance / mean norm", number(diagnostics.relative_spread)))
            }
            (figure(&chart.title, draw_curves(&chart)))
        }
    };
    section("diagnostics", "Common diagnostics", body)
}

fn healthy_collapse(healthy: &HealthyCollapse) -> Markup {
    let (within, truth) = (healthy.within_states, &healthy.truth);
    let body = html! {
        p.intro {
            "An encoder may bring together observations that need not be told apart. Such a \
             collapse is healthy."
        }
        div.multiples.wide {
            @if within.is_some() || truth.is_some() {
                dl.record {
                    @if let Some(within) = within {
                        (fact("Distance within a true state / spread", number(within)))
                    }
                    @if let Some(truth) = truth {
                        (fact("True states", truth.states))
                        (fact(
                            "Pairs of true states merged by the encoder",
                            truth.merged_states.len()
                        ))
                        (fact("Merged pairs within one true state", grouped(truth.same_state)))
                    }
                }
            }
            @if let Some(truth) = truth && !truth.merged_states.is_empty() {
                div {
                    h3 { "True states merged" }
                    p {
                        @for [a, b] in &truth.merged_states {
                            span.pair { (a) "\u{2013}" (b) } " "
                        }
                    }
                }
            }
            @if !healthy.nuisances.is_empty() { (nuisances(&healthy.nuisances)) }
        }
    };
    section("healthy", "Healthy collapse", body)
}

fn nuisances(nuisances: &[KeptNuisance]) -> Markup {
    let table = html! {
        table.measures {
            caption {
                "How well a linear probe reads an array off the latents: 0 is not at all, 1 is \
                 perfectly"
            }
            thead {
                tr { (column_heads(["Array", "Score", "Score with noise", "Noise / spread"])) }
            }
            tbody {
                @for nuisance in nuisances {
                    tr {
                        th scope="row" { (nuisance.array) }
                        td { (number(nuisance.score)) }
                        td { (number(nuisance.score_behind_noise)) }
                        td { (number(nuisance.noise)) }
                    }
                }
            }
        }
    };
    scrolling("Linear probes", table)
}

fn certificate(certificate: &RecordedCertificate) -> Markup {
    let of = |certified: usize, pairs: usize| {
        html! { (grouped(certified)) " of " (grouped(pairs)) }
    };
    let body = html! {
        p.intro { (certificate.soundness) }
        @if certificate.violations > 0 {
            p.alarm {
                (certificate.violations)
                " pairs are closer than their bound: a Lipschitz constant is wrong."
            }
        }
        dl.record.single {
            (fact(
                "Closest pairs that must be apart: certified",
                of(certificate.certified, certificate.pairs)
            ))
            (fact(
                "Random pairs that must be apart: certified",
                of(certificate.random_certified, certificate.random_pairs)
            ))
            (fact(
                "Median of certified / actual distance, random pairs",
                number(certificate.median_certified_over_actual)
            ))
            (fact("Lipschitz constant of head and predictor", number(certificate.lipschitz)))
            (fact("Pairs closer than their bound", certificate.violations))
        }
    };
    section("certificate", "What is provably apart", body)
}

fn coverage(audit: &RecordedAudit) -> Markup {
    let (coverage, near) = (&audit.coverage, &audit.neighborhoods);
    let tried = html! {
        (grouped(coverage.recorded_steps)) " of " (grouped(coverage.possible_steps))
    };
    let mixed = match near.mixed {
        Some(share) => format!("{} ({} by chance)", percent(share), percent(near.by_chance)),
        None => MISSING.to_owned(),
    };
    let body = html! {
        p.intro {
            "Only actions recorded from both rows can tell the rows apart. Nothing is claimed \
             about other actions."
        }
        div.multiples.wide {
            dl.record {
                (fact("Actions tried, of all actions at all observations", tried))
                (fact("Random pairs compared", grouped(coverage.sampled_pairs)))
                (fact("\u{2026} that the data tells apart", percent(coverage.distinguished)))
                (fact("\u{2026} that agree as far as recorded", percent(coverage.agreeing)))
                (fact("\u{2026} that cannot be compared", percent(coverage.incomparable)))
                (fact("Rows whose nearest comparable row must be apart", mixed))
            }
            div {
                h3 { "Contradictions" }
                @if audit.contradictions.is_empty() {
                    p.none { "The recording does not contradict itself." }
                } @else {
                    ul {
                        @for found in &audit.contradictions {
                            li { (contradiction(audit, found)) }
                        }
                    }
                }
            }
        }
    };
    section("coverage", "Coverage of the recording", body)
}

fn contradiction(audit: &RecordedAudit, found: &ContradictionRecord) -> Markup {
    let [a, b] = found.rows;
    html! {
        "rows " (a) " and " (b) " show the same observation, but "
        @match found.action {
            Some(action) => { (key(&audit.actions, action)) " led to different observations" },
            None if found.kind == "value" => "p differs",
            None => (found.kind),
        }
    }
}
