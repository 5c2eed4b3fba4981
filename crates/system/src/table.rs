//! Tables of ids, in memory or in a mapped file.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;
use tellapart_files::FileBytes;

/// A slice of ids that either is owned or lies in a file; cloning the latter copies nothing.
#[derive(Clone)]
pub(crate) struct Table<T>(Storage<T>);

#[derive(Clone)]
enum Storage<T> {
    Owned(Vec<T>),
    InFile {
        bytes: Arc<FileBytes>,
        /// Where the table begins and ends, in bytes; a whole number of aligned elements.
        range: (usize, usize),
        of: PhantomData<T>,
    },
}

impl<T: Pod> Table<T> {
    /// The `count` elements from byte `start`; `None` if they are not all there, or not aligned.
    ///
    /// Elements in files are little-endian: where the processor is not, they are copied and swapped.
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
            return Some(Self(Storage::Owned(swapped)));
        }
        let bytes = Arc::clone(bytes);
        Some(Self(Storage::InFile {
            bytes,
            range: (start, end),
            of: PhantomData,
        }))
    }
}

impl<T> From<Vec<T>> for Table<T> {
    fn from(elements: Vec<T>) -> Self {
        Self(Storage::Owned(elements))
    }
}

impl<T: Pod> Deref for Table<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Storage::Owned(elements) => elements,
            // Both steps were tried when the table was made.
            Storage::InFile { bytes, range, .. } => bytes
                .get(range.0..range.1)
                .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
                .unwrap_or_default(),
        }
    }
}

impl<T: Pod + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}
