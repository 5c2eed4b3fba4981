"""Writes the fixtures beside it; run in this folder with NumPy 2.4.6."""

import numpy as np
np.save('fortran_f32.npy', np.asfortranarray(np.arange(24, dtype='<f4').reshape(2,3,4)))
np.save('big_endian_i8.npy', np.array([[1,-2],[3,-2**60]], dtype='>i8'))
np.save('scalar_f8.npy', np.float64(2.5))
np.save('empty_u2.npy', np.zeros((0,3), dtype='<u2'))
np.save('half.npy', np.arange(3, dtype='<f2'))
np.save('big_endian_half.npy', np.asfortranarray(np.array([[1.5, -2**-24], [np.inf, 65504]], dtype='>f2')))
np.save('long_double.npy', np.arange(3, dtype=np.longdouble))
np.save('complex.npy', np.arange(3, dtype='<c8'))
np.save('times.npy', np.array(['2026-01-01'], dtype='datetime64[D]'))
np.save('objects.npy', np.array([{'a':1}], dtype=object))
np.save('text.npy', np.array(['ab']))
np.save('structured.npy', np.zeros(2, dtype=[('x','<f4'),('y','<i4')]))
with open('version2_f4.npy','wb') as f: np.lib.format.write_array(f, np.arange(3,dtype='<f4'), version=(2,0))
with open('version3_f4.npy','wb') as f: np.lib.format.write_array(f, np.arange(3,dtype='<f4'), version=(3,0))
arrays = dict(
 bool=np.array([True,False]), uint8=np.array([0,255],'u1'), int8=np.array([-128,127],'i1'),
 uint16=np.array([0,65535],'<u2'), int16=np.array([-32768,1],'<i2'), uint32=np.array([0,2**32-1],'<u4'),
 int32=np.array([-2**31,1],'<i4'), uint64=np.array([0,2**64-1],'<u8'), int64=np.array([-2**63,1],'<i8'),
 float32=np.array([1.5,np.nan],'<f4'), float64=np.array([-0.0,np.inf],'<f8'))
np.savez('savez.npz', **arrays); np.savez_compressed('savez_compressed.npz', **arrays)
