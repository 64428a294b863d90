// Counter-based random numbers: value i of a stream depends on (seed, stream name, i) and on
// nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace weft {

/// The Philox4x32-10 block function: four random words from a 128-bit counter and a 64-bit key.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// One named stream. Drawing from one stream never moves another, so that changing the model or its
/// dropout does not change which batches are seen. The whole state is (seed, name, position).
class Generator {
 public:
  Generator(std::uint64_t seed, std::string_view stream_name);

  std::uint32_t next_u32();  ///< 32 random bits
  /// Uniform in [0, bound), without bias. bound >= 1.
  std::uint64_t next_below(std::uint64_t bound);
  double next_uniform();  ///< uniform in [0, 1), 53 bits
  double next_normal();   ///< mean 0, variance 1 (Box-Muller)

  /// Uniform values in [low, high) into a float tensor; in parallel, same values for any number of
  /// threads.
  void fill_uniform(const Tensor& t, double low = 0, double high = 1);
  void fill_normal(const Tensor& t, double mean = 0, double std = 1);  ///< normal numbers
  /// A uniformly random permutation of 0 .. n-1 (i64), by Fisher-Yates.
  Tensor permutation(std::int64_t n);

  /// Position of the stream in blocks of four words; setting it resumes exactly there.
  std::uint64_t position() const { return position_; }
  void set_position(std::uint64_t position) { position_ = position; }  ///< as position() gave it
  /// Takes `blocks` blocks for a caller that evaluates block() itself, and returns the first one's
  /// position.
  std::uint64_t reserve(std::uint64_t blocks);
  /// The four words at a position of this stream; does not move it.
  std::array<std::uint32_t, 4> block(std::uint64_t position) const;
  /// The words of `count` consecutive blocks, 4 * count in all: several times as fast as block()
  /// for each.
  void blocks(std::uint64_t position, std::int64_t count, std::uint32_t* words) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> stream_;
  std::uint64_t position_ = 0;
};

/// The streams of the calling thread's run: `init`, `dropout`, `sample`, ... Each thread has its
/// own set, so that several runs can go on in one process.
namespace random {

/// Starts every stream of this thread anew from `seed`.
void seed(std::uint64_t seed);
std::uint64_t current_seed();  ///< of all streams of this thread
/// The stream of that name, made on first use.
Generator& stream(std::string_view name);
/// Position of every stream that has been drawn from, by name; restore() brings them back.
std::map<std::string, std::uint64_t> positions();
/// What positions() gave.
void restore(std::uint64_t seed, const std::map<std::string, std::uint64_t>& positions);

}  // namespace random
}  // namespace weft
