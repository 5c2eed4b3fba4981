//! Tables of ids, in memory or in a mapped file.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;
use tellapart_files::FileBytes;

/// A slice of ids that is either owned or lies in a file; cloning the latter copies nothing.
#[derive(Clone)]
pub(crate) struct IdSlice<T>(IdStorage<T>);

#[derive(Clone)]
enum IdStorage<T> {
    Owned(Vec<T>),
    InFile {
        bytes: Arc<FileBytes>,
        /// First byte and end of the table; a whole number of aligned elements.
        range: (usize, usize),
        of: PhantomData<T>,
    },
}

impl<T: Pod> IdSlice<T> {
    /// Returns the `count` elements from byte `start`; `None` if they are not all there, or not
    /// aligned.
    ///
    /// Elements in files are little-endian; on other processors they are copied and swapped.
    pub(crate) fn in_file(
        bytes: &Arc<FileBytes>,
        start: usize,
        count: usize,
        swap: impl Fn(T) -> T,
    ) -> Option<Self> {
        let end = start.checked_add(count.checked_mul(size_of::<T>())?)?;
        let elements = bytemuck::try_cast_slice::<u8, T>(bytes.get(start..end)?).ok()?;
        if cfg!(target_endian = "big") {
            let swapped = elements.iter().copied().map(swap).collect();
            return Some(Self(IdStorage::Owned(swapped)));
        }
        let bytes = Arc::clone(bytes);
        Some(Self(IdStorage::InFile {
            bytes,
            range: (start, end),
            of: PhantomData,
        }))
    }
}

impl<T> From<Vec<T>> for IdSlice<T> {
    fn from(elements: Vec<T>) -> Self {
        Self(IdStorage::Owned(elements))
    }
}

impl<T: Pod> Deref for IdSlice<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            IdStorage::Owned(elements) => elements,
            // Neither step fails: `in_file` tried both when it made the table.
            IdStorage::InFile { bytes, range, .. } => bytes
                .get(range.0..range.1)
                .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
                .unwrap_or_default(),
        }
    }
}

impl<T: Pod + PartialEq> PartialEq for IdSlice<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for IdSlice<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}
