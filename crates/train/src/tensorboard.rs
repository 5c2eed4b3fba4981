//! TensorBoard event files: the records of a run as scalars.
//!
//! A file is a series of records (TensorFlow's TFRecord): length, its checksum, bytes, their
//! checksum. Each record holds one `Event` message of protocol buffers, of which only the fields
//! for scalars are written. These are `wall_time = 1`, `step = 2`, `file_version = 3`, and
//! `summary = 5` with `value = 1`. In a value they are `tag = 1` and `simple_value = 2`.

use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};

use crate::metrics::MetricRecord;

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Returns the record that begins a file.
pub(crate) fn start() -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, seconds_since_epoch());
    event.bytes(3, b"brain.Event:2");
    record(&event.0)
}

/// Returns the record of the values after an update. Absent values are left out.
pub(crate) fn scalars(metrics: &MetricRecord) -> Vec<u8> {
    let mut summary = Message::default();
    for scalar in &metrics.scalars {
        if let Some(number) = scalar.value {
            let mut value = Message::default();
            value.bytes(1, scalar.name.as_bytes());
            value.float(2, number as f32);
            summary.bytes(1, &value.0);
        }
    }
    let mut event = Message::default();
    event.double(1, seconds_since_epoch());
    event.integer(2, metrics.update);
    event.bytes(5, &summary.0);
    record(&event.0)
}

/// Protocol buffers message under construction. Keys are `field << 3 | wire type`.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(bytes);
    record.extend(masked_checksum(bytes).to_le_bytes());
    record
}

/// Computes a masked checksum, rotated and offset. A checksum over data that contains checksums
/// then stays a good one.
fn masked_checksum(bytes: &[u8]) -> u32 {
    CASTAGNOLI
        .checksum(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

fn seconds_since_epoch() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first record is framed like that of TensorBoard's own writer (its time set to 1).
    #[test]
    fn records_are_framed_as_the_reader_expects() {
        let mut event = Message::default();
        event.double(1, 1.0);
        event.bytes(3, b"brain.Event:2");
        let record = record(&event.0);
        assert_eq!(record[..8], 24_u64.to_le_bytes());
        assert_eq!(record.len(), 8 + 4 + 24 + 4);
        assert_eq!(masked_checksum(&record[..8]).to_le_bytes(), record[8..12]);
        // RFC 3720, B.4: the checksum of 32 zero bytes.
        assert_eq!(CASTAGNOLI.checksum(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn absent_values_are_no_scalars() {
        use crate::metrics::Scalar;
        let record = scalars(&MetricRecord {
            update: 300,
            scalars: vec![Scalar::new("loss", 2.5), Scalar::new("validation", None)],
        });
        let contains = |part: &[u8]| record.windows(part.len()).any(|window| window == part);
        assert!(contains(b"loss") && contains(&2.5_f32.to_le_bytes()));
        assert!(!contains(b"validation"));
        // The step 300 as a varint in field 2.
        assert!(contains(&[0x10, 0xac, 0x02]));
    }
}
