#include "core/kernels/direct_conv.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/kernels/reduce.h"
#include "core/parallel.h"
#include "core/storage.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/direct_conv.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Index = std::int64_t;

// Twelve running sums hide the latency of a fused multiply-add within 16 registers; widths of
// layers are multiples of four.
constexpr Index kConvRows = 4;
constexpr Index kConvVectors = 3;

Index conv_step() { return kConvVectors * static_cast<Index>(hn::Lanes(hn::ScalableTag<float>())); }

/// out[r][p] = bias[r] + sum over k of strip[k][r] * from[offset[k] + p] for four rows and p in [0,
/// n), n a multiple of conv_step(). `strips` blocks of four rows, strip[k][r] one after another;
/// bias (4 strips) or null.
void multiply_rows(const float* strips, Index strip_count, Index depth, const float* from,
                   const Index* offset, Index n, const float* bias, float* out, Index ldo) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d)), step = kConvVectors * lanes;
  for (Index p = 0; p < n; p += step) {
    for (Index s = 0; s < strip_count; ++s) {
      const float* a = strips + s * depth * kConvRows;
      const float* const b = bias ? bias + s * kConvRows : nullptr;
      auto s00 = b ? hn::Set(d, b[0]) : hn::Zero(d), s01 = s00, s02 = s00;
      auto s10 = b ? hn::Set(d, b[1]) : hn::Zero(d), s11 = s10, s12 = s10;
      auto s20 = b ? hn::Set(d, b[2]) : hn::Zero(d), s21 = s20, s22 = s20;
      auto s30 = b ? hn::Set(d, b[3]) : hn::Zero(d), s31 = s30, s32 = s30;
      for (Index k = 0; k < depth; ++k, a += kConvRows) {
        const float* const at = from + offset[k] + p;
        const auto x0 = hn::LoadU(d, at), x1 = hn::LoadU(d, at + lanes),
                   x2 = hn::LoadU(d, at + 2 * lanes);
        const auto w0 = hn::Set(d, a[0]);
        s00 = FusedMulAdd(w0, x0, s00), s01 = FusedMulAdd(w0, x1, s01),
        s02 = FusedMulAdd(w0, x2, s02);
        const auto w1 = hn::Set(d, a[1]);
        s10 = FusedMulAdd(w1, x0, s10), s11 = FusedMulAdd(w1, x1, s11),
        s12 = FusedMulAdd(w1, x2, s12);
        const auto w2 = hn::Set(d, a[2]);
        s20 = FusedMulAdd(w2, x0, s20), s21 = FusedMulAdd(w2, x1, s21),
        s22 = FusedMulAdd(w2, x2, s22);
        const auto w3 = hn::Set(d, a[3]);
        s30 = FusedMulAdd(w3, x0, s30), s31 = FusedMulAdd(w3, x1, s31),
        s32 = FusedMulAdd(w3, x2, s32);
      }
      float* c = out + s * kConvRows * ldo + p;
      hn::StoreU(s00, d, c), hn::StoreU(s01, d, c + lanes), hn::StoreU(s02, d, c + 2 * lanes);
      c += ldo;
      hn::StoreU(s10, d, c), hn::StoreU(s11, d, c + lanes), hn::StoreU(s12, d, c + 2 * lanes);
      c += ldo;
      hn::StoreU(s20, d, c), hn::StoreU(s21, d, c + lanes), hn::StoreU(s22, d, c + 2 * lanes);
      c += ldo;
      hn::StoreU(s30, d, c), hn::StoreU(s31, d, c + lanes), hn::StoreU(s32, d, c + 2 * lanes);
    }
  }
}

/// sums[o][k] += sum over p < n of g[o][p] * from[offset[k] + p] for `rows` rows of g, ldg apart,
/// and `depth` offsets; n a multiple of the vector's length. Each sum has kLanes parts, whatever
/// that length: shorter vectors take several walks, each over its share of the lanes, since twelve
/// sums are what the registers hold.
void multiply_dots(const float* g, Index ldg, Index rows, const float* from, const Index* offset,
                   Index depth, Index n, float* sums) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  for (Index o = 0; o < rows; o += kConvRows) {
    const float* g_row[kConvRows];
    for (Index r = 0; r < kConvRows; ++r)
      g_row[r] =
          g + std::min(o + r, rows - 1) * ldg;  // what is left over is done twice, and dropped
    for (Index k = 0; k < depth; k += kConvVectors) {
      const float* const x0 = from + offset[k];
      const float* const x1 = from + offset[std::min(k + 1, depth - 1)];
      const float* const x2 = from + offset[std::min(k + 2, depth - 1)];
      HWY_ALIGN float parts[kConvRows][kConvVectors][kLanes];
      for (Index lane = 0; lane < kLanes; lane += lanes) {
        auto s00 = hn::Zero(d), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00, s20 = s00,
             s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00;
        for (Index p = lane; p < n; p += kLanes) {
          const auto v0 = hn::LoadU(d, x0 + p), v1 = hn::LoadU(d, x1 + p),
                     v2 = hn::LoadU(d, x2 + p);
          const auto g0 = hn::LoadU(d, g_row[0] + p);
          s00 = FusedMulAdd(g0, v0, s00), s01 = FusedMulAdd(g0, v1, s01),
          s02 = FusedMulAdd(g0, v2, s02);
          const auto g1 = hn::LoadU(d, g_row[1] + p);
          s10 = FusedMulAdd(g1, v0, s10), s11 = FusedMulAdd(g1, v1, s11),
          s12 = FusedMulAdd(g1, v2, s12);
          const auto g2 = hn::LoadU(d, g_row[2] + p);
          s20 = FusedMulAdd(g2, v0, s20), s21 = FusedMulAdd(g2, v1, s21),
          s22 = FusedMulAdd(g2, v2, s22);
          const auto g3 = hn::LoadU(d, g_row[3] + p);
          s30 = FusedMulAdd(g3, v0, s30), s31 = FusedMulAdd(g3, v1, s31),
          s32 = FusedMulAdd(g3, v2, s32);
        }
        const auto keep = [&](Index r, auto a, auto b, auto c) HWY_ATTR {
          hn::StoreU(a, d, parts[r][0] + lane);
          hn::StoreU(b, d, parts[r][1] + lane);
          hn::StoreU(c, d, parts[r][2] + lane);
        };
        keep(0, s00, s01, s02);
        keep(1, s10, s11, s12);
        keep(2, s20, s21, s22);
        keep(3, s30, s31, s32);
      }
      for (Index r = 0; r < std::min(kConvRows, rows - o); ++r)
        for (Index j = 0; j < std::min(kConvVectors, depth - k); ++j)
          sums[(o + r) * depth + k + j] += sum_lanes(Lanes<float>::load(parts[r][j]));
    }
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(conv_step);
HWY_EXPORT(multiply_rows);
HWY_EXPORT(multiply_dots);

using Index = std::int64_t;

constexpr Index kStripRows = 4;
constexpr Index kBlockFloats =
    24576;  // of a block of images: with its results it stays in the second-level cache
constexpr Index kSumBlockFloats = 49152;  // the same for a weight's gradient, whose sums are longer
                                          // for it and whose results are small
constexpr Index kLargestImage = 1 << 21;  // floats of one image, laid out
constexpr Index kSumParts = 16;           // sums of a weight's gradient that are kept apart
constexpr Index kLargeSum = 1 << 20;      // elements of one above which there are fewer

Index up_to(Index value, Index step) { return chunk_count(value, step) * step; }

/// How a block of images lies in memory: for each channel and phase a stretch of `images` planes of
/// rows x columns floats, one after another. With stride 1 there is one phase, and the zeros right
/// of a row (below an image) are also those left of the next row (above the next image). With a
/// stride the padded image is split into phases, pixel (a, b) of every stride x stride square, so
/// that a tap is again a shift of a whole plane.
struct Layout {
  Windows w;
  bool shared;
  Index phases_h, phases_w, rows, columns, before, after;

  explicit Layout(const Windows& windows) : w(windows), shared(w.stride_h == 1 && w.stride_w == 1) {
    phases_h = std::min(w.stride_h, w.kernel_h);
    phases_w = std::min(w.stride_w, w.kernel_w);
    rows = shared ? w.height + w.pad_h : chunk_count(w.height + 2 * w.pad_h, w.stride_h);
    columns = shared ? w.width + w.pad_w : chunk_count(w.width + 2 * w.pad_w, w.stride_w);
    before = shared ? w.pad_h * columns + w.pad_w : 0;
    after = shift(w.kernel_h - 1, w.kernel_w - 1);
  }

  Index phases() const { return phases_h * phases_w; }
  Index plane() const { return rows * columns; }
  Index image() const { return w.channels * phases() * plane(); }
  Index phase(Index ky, Index kx) const { return ky % w.stride_h * phases_w + kx % w.stride_w; }
  /// From an output's place to the place of what a tap reads, within the stretch of the tap's
  /// phase.
  Index shift(Index ky, Index kx) const {
    return shared ? (ky - w.pad_h) * columns + kx - w.pad_w
                  : ky / w.stride_h * columns + kx / w.stride_w;
  }
  /// Images that are laid out together, by shape alone.
  Index block(Index batch, Index floats = kBlockFloats) const {
    return std::clamp<Index>(floats / std::max<Index>(1, image()), 1,
                             std::max<Index>(1, batch / 8));
  }

  /// f(pixel row y, first pixel column x, steps of columns, count, phase, place in the plane) for
  /// each run of pixels of an image.
  template <class F>
  void each_run(const F& f) const {
    if (shared) {
      for (Index y = 0; y < w.height; ++y) f(y, Index{0}, Index{1}, w.width, Index{0}, y * columns);
      return;
    }
    for (Index a = 0; a < phases_h; ++a)
      for (Index b = 0; b < phases_w; ++b) {
        const Index first = std::max<Index>(0, chunk_count(w.pad_w - b, w.stride_w)),
                    x = first * w.stride_w + b - w.pad_w;
        const Index count = x < w.width ? chunk_count(w.width - x, w.stride_w) : 0;
        for (Index row = 0; row < rows; ++row) {
          const Index y = row * w.stride_h + a - w.pad_h;
          if (y >= 0 && y < w.height)
            f(y, x, w.stride_w, count, a * phases_w + b, row * columns + first);
        }
      }
  }
};

/// Room for floats, zeros at first.
class Room {
 public:
  explicit Room(Index floats)
      : storage_(std::make_unique<Storage>(floats * static_cast<Index>(sizeof(float)))),
        floats_(floats) {
    clear();
  }
  float* data() const { return reinterpret_cast<float*>(storage_->data()); }
  void clear() const { std::fill_n(data(), floats_, 0.0f); }

 private:
  std::unique_ptr<Storage> storage_;
  Index floats_;
};

/// A block of images in the layout, and a block of outputs (or their gradients) in the same places,
/// zero where no output stands.
struct Blocks {
  const Layout& layout;
  Index images, places, x_stretch, g_stretch;

  Blocks(const Layout& l, Index images_at_once)
      : layout(l),
        images(images_at_once),
        places(up_to(images * l.plane(), HWY_DYNAMIC_DISPATCH(conv_step)())) {
    x_stretch = g_stretch = places + std::max<Index>(0, l.before) + std::max<Index>(0, l.after);
  }

  /// Results of `rows` rows of each of `count` images, or of all places at once where that is less
  /// work.
  void multiply(const Room& strips, Index strip_count, Index depth, const float* from,
                const Index* offsets, Index rows, Index count, const float* bias, float* to) const {
    const Index alone = up_to(rows * layout.columns, HWY_DYNAMIC_DISPATCH(conv_step)());
    if (alone > layout.plane() || alone * images >= places) {
      HWY_DYNAMIC_DISPATCH(multiply_rows)
      (strips.data(), strip_count, depth, from, offsets, places, bias, to, places);
      return;
    }
    for (Index i = 0; i < count;
         ++i)  // what is written behind an image's rows is overwritten by the next one's
      HWY_DYNAMIC_DISPATCH(multiply_rows)
    (strips.data(), strip_count, depth, from + i * layout.plane(), offsets, alone, bias,
     to + i * layout.plane(), places);
  }

  Room x_room() const { return Room(layout.w.channels * layout.phases() * x_stretch); }
  Room g_room(Index out_channels) const { return Room(out_channels * g_stretch); }
  float* x_at(float* room) const { return room + layout.before; }  // taps reach back by `before`
  float* g_at(float* room) const {
    return room + std::max<Index>(0, layout.after);
  }  // and their gradients by `after`

  void put_images(const float* x, Index count, float* to) const {
    const Windows& w = layout.w;
    for (Index c = 0; c < w.channels; ++c)
      for (Index i = 0; i < count; ++i) {
        const float* const image = x + (i * w.channels + c) * w.pixels();
        layout.each_run([&](Index y, Index first, Index step, Index n, Index phase, Index place) {
          const float* const from = image + y * w.width + first;
          float* const at =
              to + (c * layout.phases() + phase) * x_stretch + i * layout.plane() + place;
          if (step == 1)
            std::copy_n(from, n, at);
          else
            for (Index j = 0; j < n; ++j) at[j] = from[j * step];
        });
      }
  }

  void put_gradients(const float* g, Index out_channels, Index count, float* to) const {
    const Windows& w = layout.w;
    for (Index o = 0; o < out_channels; ++o)
      for (Index i = 0; i < count; ++i)
        for (Index y = 0; y < w.out_h; ++y)
          std::copy_n(g + ((i * out_channels + o) * w.out_h + y) * w.out_w, w.out_w,
                      to + o * g_stretch + i * layout.plane() + y * layout.columns);
  }
};

/// Rows of a matrix in strips of four, [strip][k][row], zero below the last row. value(row, k).
template <class F>
Room make_strips(Index rows, Index depth, const F& value) {
  Room strips(up_to(rows, kStripRows) * depth);
  for (Index r = 0; r < rows; ++r)
    for (Index k = 0; k < depth; ++k)
      strips.data()[(r / kStripRows * depth + k) * kStripRows + r % kStripRows] = value(r, k);
  return strips;
}

/// Where each column of the weight matrix (channel, ky, kx) reads, from an output's place.
std::vector<Index> tap_offsets(const Layout& l, Index stretch) {
  std::vector<Index> offsets;
  for (Index c = 0; c < l.w.channels; ++c)
    for (Index ky = 0; ky < l.w.kernel_h; ++ky)
      for (Index kx = 0; kx < l.w.kernel_w; ++kx)
        offsets.push_back((c * l.phases() + l.phase(ky, kx)) * stretch + l.shift(ky, kx));
  return offsets;
}

}  // namespace

bool direct_conv_pays(const Windows& w, Index out_channels, Index groups) {
  if (groups != 1 || w.pointwise() || w.channels < 1 || out_channels < 1 || w.out_h < 1 ||
      w.out_w < 1)
    return false;
  if (w.pad_h >= w.kernel_h || w.pad_w >= w.kernel_w) return false;
  const Layout layout(w);
  return static_cast<double>(layout.rows) * static_cast<double>(layout.columns) *
             static_cast<double>(std::max(w.channels * layout.phases(), out_channels)) <=
         static_cast<double>(kLargestImage);
}

void direct_conv2d(const Windows& w, Index batch, Index out_channels, const float* x,
                   const float* weight, const float* bias, float* out) {
  const Layout layout(w);
  const Blocks blocks(layout, layout.block(batch));
  const Index depth = w.channels * w.taps(), rows = up_to(out_channels, kStripRows);
  const std::vector<Index> offsets = tap_offsets(layout, blocks.x_stretch);
  const Room strips =
      make_strips(out_channels, depth, [&](Index o, Index k) { return weight[o * depth + k]; });
  const Room biases(rows);
  if (bias) std::copy_n(bias, out_channels, biases.data());
  parallel_for(chunk_count(batch, blocks.images), 1, [&](Index begin, Index end) {
    const Room in = blocks.x_room(), result(rows * blocks.places);
    for (Index block = begin; block < end; ++block) {
      const Index first = block * blocks.images, count = std::min(blocks.images, batch - first);
      blocks.put_images(x + first * w.channels * w.pixels(), count, blocks.x_at(in.data()));
      blocks.multiply(strips, rows / kStripRows, depth, blocks.x_at(in.data()), offsets.data(),
                      w.out_h, count, bias ? biases.data() : nullptr, result.data());
      for (Index i = 0; i < count; ++i)
        for (Index o = 0; o < out_channels; ++o)
          for (Index y = 0; y < w.out_h; ++y)
            std::copy_n(result.data() + o * blocks.places + i * layout.plane() + y * layout.columns,
                        w.out_w, out + (((first + i) * out_channels + o) * w.out_h + y) * w.out_w);
    }
  });
}

void direct_conv2d_grad_x(const Windows& w, Index batch, Index out_channels, const float* grad,
                          const float* weight, float* grad_x) {
  const Layout layout(w);
  const Blocks blocks(layout, layout.block(batch));
  const Index rows = up_to(w.channels, kStripRows), phases = layout.phases();
  // The gradient of a phase: each of its taps brings back the outputs' gradients, shifted the other
  // way.
  struct Phase {
    std::vector<Index> offsets;
    Room strips;
  };
  std::vector<Phase> parts;
  for (Index phase = 0; phase < phases; ++phase) {
    std::vector<Index> taps, offsets;
    for (Index ky = 0; ky < w.kernel_h; ++ky)
      for (Index kx = 0; kx < w.kernel_w; ++kx)
        if (layout.phase(ky, kx) == phase) taps.push_back(ky * w.kernel_w + kx);
    const Index tap_count = static_cast<Index>(taps.size());
    for (Index o = 0; o < out_channels; ++o)
      for (const Index tap : taps)
        offsets.push_back(o * blocks.g_stretch - layout.shift(tap / w.kernel_w, tap % w.kernel_w));
    parts.push_back({std::move(offsets),
                     make_strips(w.channels, out_channels * tap_count, [&](Index c, Index k) {
                       return weight[(k / tap_count * w.channels + c) * w.taps() +
                                     taps[static_cast<std::size_t>(k % tap_count)]];
                     })});
  }
  const bool covers = layout.phases_h == w.stride_h &&
                      layout.phases_w == w.stride_w;  // else some pixels are in no window
  parallel_for(chunk_count(batch, blocks.images), 1, [&](Index begin, Index end) {
    const Room in = blocks.g_room(out_channels), result(rows * blocks.places);
    for (Index block = begin; block < end; ++block) {
      const Index first = block * blocks.images, count = std::min(blocks.images, batch - first);
      blocks.put_gradients(grad + first * out_channels * w.out_pixels(), out_channels, count,
                           blocks.g_at(in.data()));
      float* const to = grad_x + first * w.channels * w.pixels();
      if (!covers) std::fill_n(to, count * w.channels * w.pixels(), 0.0f);
      for (Index phase = 0; phase < phases; ++phase) {
        const Phase& part = parts[static_cast<std::size_t>(phase)];
        blocks.multiply(part.strips, rows / kStripRows, static_cast<Index>(part.offsets.size()),
                        blocks.g_at(in.data()), part.offsets.data(),
                        layout.shared ? w.height : layout.rows, count, nullptr, result.data());
        layout.each_run(
            [&](Index y, Index first_x, Index step, Index n, Index of_phase, Index place) {
              if (of_phase != phase) return;
              for (Index i = 0; i < count; ++i)
                for (Index c = 0; c < w.channels; ++c) {
                  const float* const from =
                      result.data() + c * blocks.places + i * layout.plane() + place;
                  float* const at = to + (i * w.channels + c) * w.pixels() + y * w.width + first_x;
                  if (step == 1)
                    std::copy_n(from, n, at);
                  else
                    for (Index j = 0; j < n; ++j) at[j * step] = from[j];
                }
            });
      }
    }
  });
}

void direct_conv2d_grad_weight(const Windows& w, Index batch, Index out_channels, const float* grad,
                               const float* x, float* grad_weight) {
  const Layout layout(w);
  const Blocks blocks(layout, layout.block(batch, kSumBlockFloats));
  const Index depth = w.channels * w.taps(), size = out_channels * depth,
              count = chunk_count(batch, blocks.images);
  const std::vector<Index> offsets = tap_offsets(layout, blocks.x_stretch);
  const Index per_part = std::max<Index>(
                  1, chunk_count(count, size <= kLargeSum ? kSumParts : kSumParts / 4)),
              parts = chunk_count(count, per_part);
  if (parts == 0) {
    std::fill_n(grad_weight, size, 0.0f);
    return;
  }
  const Room sums(parts * size);
  parallel_for(parts, 1, [&](Index begin, Index end) {
    const Room in = blocks.x_room(), g = blocks.g_room(out_channels);
    for (Index part = begin; part < end; ++part)
      for (Index block = part * per_part; block < std::min(count, (part + 1) * per_part); ++block) {
        const Index first = block * blocks.images, images = std::min(blocks.images, batch - first);
        if (images < blocks.images) g.clear();
        blocks.put_images(x + first * w.channels * w.pixels(), images, blocks.x_at(in.data()));
        blocks.put_gradients(grad + first * out_channels * w.out_pixels(), out_channels, images,
                             blocks.g_at(g.data()));
        HWY_DYNAMIC_DISPATCH(multiply_dots)
        (blocks.g_at(g.data()), blocks.g_stretch, out_channels, blocks.x_at(in.data()),
         offsets.data(), depth, blocks.places, sums.data() + part * size);
      }
  });
  reduce(Reduce::sum, sums.data(), 1, parts, size, grad_weight);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
