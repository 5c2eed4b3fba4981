use tellapart_audit::recorded::{Diagnostics, HealthyCollapse, RecordedAudit};

use crate::figures::draw_curves;
use crate::page::{Fact, facts, section};
use crate::text::{MISSING, escape, grouped, number, percent};
use crate::words::word_markup;
use crate::{Chart, Scale, Series};

/// What concerns the latents and the recording as a whole.
pub(super) fn sections(audit: &RecordedAudit) -> String {
    let mut out = diagnostics(&audit.diagnostics, audit.latent_width);
    if let Some(healthy) = &audit.healthy {
        out += &healthy_collapse(healthy);
    }
    out += &certificate(audit);
    out += &coverage(audit);
    out
}

fn diagnostics(diagnostics: &Diagnostics, width: usize) -> String {
    let lidar = match &diagnostics.lidar_groups {
        Some(groups) => format!("LiDAR, groups by {groups}"),
        None => "LiDAR".to_owned(),
    };
    let of_width = |rank: Option<f64>| match rank {
        Some(rank) => format!("{} of {width}", number(rank)),
        None => MISSING.to_owned(),
    };
    let list = [
        Fact::new("RankMe", of_width(diagnostics.rankme)),
        Fact::new(
            "Effective rank, centred",
            of_width(diagnostics.effective_rank),
        ),
        Fact::new(lidar, number(diagnostics.lidar)),
        Fact::new(
            "Mean distance of two rows",
            number(diagnostics.mean_distance),
        ),
        Fact::new(
            "Mean distance / mean norm",
            number(diagnostics.relative_spread),
        ),
    ];
    let contradicts = match &diagnostics.contradicts {
        Some(sentence) => format!("<p class=\"alarm\">{}</p>\n", escape(sentence)),
        None => String::new(),
    };
    let values = &diagnostics.singular_values;
    let chart = Chart {
        title: "Singular values of the centred latents".into(),
        x_label: "number of the singular value".into(),
        scale: Scale::Logarithmic,
        series: vec![Series {
            name: "singular value".into(),
            points: (1u32..)
                .map(f64::from)
                .zip(values.iter().copied())
                .collect(),
        }],
    };
    let figure = format!(
        "<figure><figcaption>{}</figcaption>{}</figure>\n",
        escape(&chart.title),
        draw_curves(&chart).inline()
    );
    let intro = "Numbers over all latents at once. They say how much room the latents use, not what they \
                 keep apart.";
    section(
        "diagnostics",
        "What is usually looked at",
        intro,
        &format!(
            "{contradicts}<div class=\"multiples wide\">\n{}{figure}</div>\n",
            facts(&list, "record")
        ),
    )
}

fn healthy_collapse(healthy: &HealthyCollapse) -> String {
    let mut body = String::new();
    let mut list = Vec::new();
    if let Some(within) = healthy.within_states {
        list.push(Fact::new(
            "Distance within a true state, of the spread",
            number(within),
        ));
    }
    if let Some(truth) = &healthy.truth {
        list.push(Fact::new("True states", truth.states));
        list.push(Fact::new(
            "Pairs of true states merged by the encoder",
            truth.merged_states.len(),
        ));
        list.push(Fact::new(
            "Merged pairs within one true state",
            grouped(truth.same_state),
        ));
    }
    body += &facts(&list, "record");
    if let Some(truth) = healthy
        .truth
        .as_ref()
        .filter(|truth| !truth.merged_states.is_empty())
    {
        let states: String = truth
            .merged_states
            .iter()
            .map(|[a, b]| format!("<span class=\"pair\">{a}\u{2013}{b}</span> "))
            .collect();
        body += &format!("<div><h3>True states merged</h3><p>{states}</p></div>\n");
    }
    if !healthy.nuisances.is_empty() {
        let rows: String = healthy
            .nuisances
            .iter()
            .map(|nuisance| {
                format!(
                    "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                    escape(&nuisance.array),
                    number(nuisance.score),
                    number(nuisance.score_behind_noise),
                    number(nuisance.noise)
                )
            })
            .collect();
        body += &format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What is still kept\">\
             <table class=\"measures\">\n<caption>What a linear probe still reads off the latents: 0 is \
             nothing, 1 is all</caption><thead><tr><th scope=\"col\">Array</th><th scope=\"col\">Score</th>\
             <th scope=\"col\">behind noise</th><th scope=\"col\">noise, of the spread</th></tr></thead>\n\
             <tbody>\n{rows}</tbody></table></div>\n"
        );
    }
    let intro = "Observations that need not be told apart may be brought together: that collapse is \
                 healthy.";
    section(
        "healthy",
        "Healthy collapse",
        intro,
        &format!("<div class=\"multiples wide\">\n{body}</div>\n"),
    )
}

fn certificate(audit: &RecordedAudit) -> String {
    let Some(certificate) = &audit.certificate else {
        return String::new();
    };
    let of = |certified: usize, pairs: usize| {
        let [certified, pairs] = [certified, pairs].map(|count| grouped(count as u64));
        format!("{certified} of {pairs}")
    };
    let list = [
        Fact::new(
            "Certified apart, of the closest pairs that must be apart",
            of(certificate.certified, certificate.pairs),
        ),
        Fact::new(
            "Certified apart, of random pairs that must be apart",
            of(certificate.random_certified, certificate.random_pairs),
        ),
        Fact::new(
            "Certified over actual distance, median of those",
            number(certificate.median_certified_over_actual),
        ),
        Fact::new(
            "Lipschitz constant of head and dynamics",
            number(certificate.lipschitz),
        ),
        Fact::new("Pairs closer than their bound", certificate.violations),
    ];
    let alarm = match certificate.violations {
        0 => String::new(),
        violations => format!(
            "<p class=\"alarm\">{violations} pairs are closer than their bound: a Lipschitz constant \
             is wrong.</p>\n"
        ),
    };
    section(
        "certificate",
        "What is provably apart",
        &escape(&certificate.soundness),
        &format!("{alarm}{}", facts(&list, "record single")),
    )
}

fn coverage(audit: &RecordedAudit) -> String {
    let (coverage, near) = (&audit.coverage, &audit.neighbourhoods);
    let list = [
        Fact::new(
            "Actions tried, of all at every observation",
            format!(
                "{} of {}",
                grouped(coverage.recorded_steps as u64),
                grouped(coverage.possible_steps as u64)
            ),
        ),
        Fact::new(
            "Random pairs compared",
            grouped(coverage.sampled_pairs as u64),
        ),
        Fact::new(
            "\u{2026} that the data tells apart",
            percent(coverage.distinguished),
        ),
        Fact::new(
            "\u{2026} that agree as far as recorded",
            percent(coverage.agreeing),
        ),
        Fact::new(
            "\u{2026} of which nothing can be said",
            percent(coverage.incomparable),
        ),
        Fact::new(
            "Rows whose nearest comparable row must be apart",
            match near.mixed {
                Some(share) => {
                    format!("{} ({} by chance)", percent(share), percent(near.by_chance))
                }
                None => MISSING.to_owned(),
            },
        ),
    ];
    let contradictions = match audit.contradictions.as_slice() {
        [] => "<p class=\"none\">The recording does not contradict itself.</p>\n".to_owned(),
        found => {
            let lines: String = found
                .iter()
                .map(|contradiction| {
                    let [a, b] = contradiction.rows;
                    let how = match contradiction.action {
                        Some(action) => format!(
                            "{} led to different observations",
                            word_markup(&audit.actions, Some(&[action]))
                        ),
                        None if contradiction.kind == "value" => "p differs".to_owned(),
                        None => escape(&contradiction.kind),
                    };
                    format!("<li>rows {a} and {b} show the same observation, but {how}</li>\n")
                })
                .collect();
            format!("<ul>\n{lines}</ul>\n")
        }
    };
    let body = format!(
        "<div class=\"multiples wide\">\n{}<div><h3>Contradictions</h3>\n{contradictions}</div></div>\n",
        facts(&list, "record")
    );
    let intro = "Only what was recorded from both rows can tell them apart; of all else nothing is claimed.";
    section("coverage", "What the recording covers", intro, &body)
}
