// Reading rows and elements by index, and adding them back. All indices are i64 and have been
// checked by find_bad_index(). Where elements are added, each place of the output gets its terms
// one by one in index order: the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/shape.h"

namespace weft::kernels {

/// The first position whose index is outside [0, bound), or -1.
std::int64_t find_bad_index(const std::int64_t* index, std::int64_t n, std::int64_t bound);

/// out (outer, n, inner) = in (outer, size, inner) at index (n) of the middle dimension; row-major.
void take_rows(std::byte* out, const std::byte* in, const std::int64_t* index, std::int64_t outer,
               std::int64_t size, std::int64_t n, std::int64_t inner, DType dtype);

/// out (outer, size, inner) += in (outer, n, inner) at index (n) of the middle dimension;
/// row-major.
template <class T>
void add_rows(T* out, const T* in, const std::int64_t* index, std::int64_t outer, std::int64_t size,
              std::int64_t n, std::int64_t inner);

/// out[i] = in[i with i_dim replaced by index[i]] for every i of `shape`; out and index row-major,
/// `in` with any strides.
void gather(std::byte* out, const std::byte* in, const Shape& in_strides, const std::int64_t* index,
            const Shape& shape, int dim, DType dtype);

/// out[i with i_dim replaced by index[i]] += in[i] for every i of `shape`; index row-major.
template <class T>
void scatter_add(T* out, const Shape& out_strides, const T* in, const Shape& in_strides,
                 const std::int64_t* index, const Shape& shape, int dim);

}  // namespace weft::kernels
