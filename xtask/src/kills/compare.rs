//! Files of runs without what differs from run to run: times, and the order of moments.

use std::path::Path;

use serde_json::Value;

/// Keys of JSON files that hold times.
const TIMES: [&str; 4] = [
    "cpu_seconds",
    "wall_seconds",
    "train_cpu_seconds",
    "train_wall_seconds",
];

/// Name of the column and of the TensorBoard tag that hold times.
const CPU: &str = "cpu_seconds";

/// Returns the bytes of a file without its times. `cpu_seconds` is what pages print as the time of
/// the run.
///
/// # Errors
/// A file that is not whole.
pub(super) fn without_times(
    name: &str,
    bytes: &[u8],
    cpu_seconds: Option<f64>,
) -> Result<Vec<u8>, String> {
    let extension = Path::new(name).extension();
    match extension.and_then(|extension| extension.to_str()) {
        Some("json") => json(bytes),
        Some("csv") => Ok(rows(bytes)?.0.concat().into_bytes()),
        Some("tellapart") => Ok(events(bytes).0.concat()),
        Some("bpk") => moments(bytes),
        Some("html") => {
            let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
            if !text.trim_end().ends_with("</html>") {
                return Err("it has no end".to_owned());
            }
            let time = format!("<td>{:.2}</td>", cpu_seconds.unwrap_or_default());
            Ok(text.replace(&time, "<td>time</td>").into_bytes())
        }
        _ => Ok(bytes.to_vec()),
    }
}

fn json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    for time in TIMES {
        if let Some(time) = value.get_mut(time) {
            *time = Value::Null;
        }
    }
    Ok(value.to_string().into_bytes())
}

/// Returns the whole lines of `metrics.csv` without the column of times, and whether a torn one
/// follows.
pub(super) fn rows(bytes: &[u8]) -> Result<(Vec<String>, bool), String> {
    let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let header = text.lines().next().unwrap_or_default();
    let time = header.split(',').position(|name| name == CPU);
    let row = |line: &str| {
        let cells = line.split(',').enumerate();
        let kept = cells.filter(|(column, _)| Some(*column) != time);
        kept.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    };
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    Ok((whole.map(row).collect(), !text.ends_with('\n')))
}

/// Returns the whole records of a file of TensorBoard events without their times, and whether a
/// torn one follows.
///
/// A record is eight bytes of length, four of checksum, the event, and four of checksum. An event
/// begins with the time of writing: a byte and eight bytes.
pub(super) fn events(mut bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut records = Vec::new();
    while let Some(length) = bytes.first_chunk() {
        let length = u64::from_le_bytes(*length) as usize;
        let Some(event) = bytes.get(12..12 + length) else {
            break;
        };
        if bytes.len() < 16 + length {
            break;
        }
        let mut event = event.get(9..).unwrap_or_default().to_vec();
        let time = event
            .windows(CPU.len())
            .position(|tag| tag == CPU.as_bytes());
        if let Some(time) = time {
            // The key of a number follows, and the four bytes of it.
            let number = time + CPU.len() + 1;
            if let Some(number) = event.get_mut(number..number + 4) {
                number.fill(0);
            }
        }
        records.push(event);
        bytes = &bytes[16 + length..];
    }
    (records, !bytes.is_empty())
}

/// Returns the numbers of a file of moments in ascending order. Burn stores them by ids of
/// parameters, which each process gives anew, and aligns them with zeros.
fn moments(bytes: &[u8]) -> Result<Vec<u8>, String> {
    // Four bytes of magic, two of version, and four of the length of what is before the numbers.
    let length = bytes.get(6..10).and_then(|length| length.first_chunk());
    let length = length.ok_or("it ends within its header")?;
    let start = (10 + u32::from_le_bytes(*length) as usize).next_multiple_of(4);
    let numbers = bytes.get(start..).ok_or("it ends within its header")?;
    let (numbers, rest) = numbers.as_chunks::<4>();
    if !rest.is_empty() {
        return Err("it ends within a number".to_owned());
    }
    let mut numbers: Vec<[u8; 4]> = numbers
        .iter()
        .filter(|it| **it != [0; 4])
        .copied()
        .collect();
    numbers.sort_unstable();
    Ok(numbers.concat())
}
