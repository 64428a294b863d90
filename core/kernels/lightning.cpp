// Algorithms 1 (forward) and 2 (backward) of Lightning Attention-2 (Qin et al. 2024, arXiv
// 2401.04658). With lambda a head's decay, a block of n tokens at places 0 .. n - 1 and the state S
// = sum over the keys j behind it of lambda^(distance to the block's edge) k_j^T v_j, D x Dv:
//   out_i = sum over j in the block of lambda^|i - j| <q_i, k_j> v_j  +  lambda^(i + 1) q_i S,   S'
//   = lambda^n S + sum over j of lambda^(n - 1 - j) k_j^T v_j.
// Every product that is needed has that form: walking left to right, a token is lambda^(i + 1) away
// from the state and enters the next one with lambda^(n - 1 - i); right to left it is the other way
// round. The gradient of q reads the states of (k, v), those of k and v read the states of (q, g)
// of the opposite walk, and attention that is not causal takes both walks.
#include "core/kernels/lightning.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/attention_tile.h"
#include "core/kernels/tile_gemm.h"
#include "core/math.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/tensor.h"

namespace weft::kernels {
namespace {

using Index = std::int64_t;

constexpr Index kLightningBlock = 64;  // tokens of a block; a multiple of kTilePadding
constexpr Index kLightningSegment =
    32 * kLightningBlock;  // tokens that one task walks where there are few heads
constexpr Index kWalkersEnough =
    8;  // (batch, head) pairs from which one task each keeps every core busy
constexpr double kWalkFlops = 2.0e6;  // work worth a task

struct Tokens {
  Index begin, end;
  Index size() const { return end - begin; }
};

enum class Walk : std::uint8_t { right, left };  // towards the end, towards the beginning

/// Powers of one head's decay.
template <class T>
struct Powers {
  T both[2 * kLightningBlock];  // [t] = lambda^|t - (block - 1)|

  explicit Powers(double lambda) {
    double power = 1;
    for (Index i = 0; i <= kLightningBlock; ++i, power *= lambda) {
      both[kLightningBlock - 1 + i] = static_cast<T>(power);
      if (i < kLightningBlock) both[kLightningBlock - 1 - i] = static_cast<T>(power);
    }
  }
  const T* rising() const { return both + kLightningBlock; }              // lambda^(i + 1)
  const T* falling(Index n) const { return both + kLightningBlock - n; }  // lambda^(n - 1 - i)
  /// From a token of a block of n to the state it reads, and to the state it enters.
  const T* reads(Walk walk, Index n) const { return walk == Walk::right ? rising() : falling(n); }
  const T* enters(Walk walk, Index n) const { return walk == Walk::right ? falling(n) : rising(); }
};

/// What a state is the sum of: rows a (D wide) and c (Dv wide).
template <class T>
struct Sources {
  HeadGrid<const T> a, c;
};

/// out += decay x S, or decay x S^T when turned.
template <class T>
struct Reader {
  HeadGrid<const T> x;
  HeadGrid<T> out;
  bool turned;
};

/// Rows that a walk will touch.
template <class T>
struct TouchedRows {
  HeadGrid<const T> rows;
  Index columns;
};

template <class T>
HeadGrid<const T> as_const(const HeadGrid<T>& grid) {
  return {grid.data, grid.batch, grid.head, grid.row};
}

/// Asks for the rows of a block while the one before it is worked on: with other heads between them
/// they are too far apart for the processor to guess.
template <class T>
void prefetch_rows(const TouchedRows<T>& touched, Index b, Index h, Tokens block) {
  constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));
  if (!touched.rows.data) return;
  for (Index i = block.begin; i < block.end; ++i) {
    const T* row = touched.rows.at(b, h, i);
    for (Index c = 0; c < touched.columns; c += kLine) __builtin_prefetch(row + c);
  }
}

template <class T>
void copy_scaled(const T* x, Index row, Index rows, Index columns, const T* factor, T* out) {
  for (Index r = 0; r < rows; ++r)
    for (Index i = 0; i < columns; ++i) out[r * columns + i] = factor[r] * x[r * row + i];
}

template <class T>
class Lightning {
 public:
  explicit Lightning(const LightningArgs<T>& args)
      : args_(args),
        walkers_(args.B * args.H),
        segments_(walkers_ >= kWalkersEnough
                      ? 1
                      : std::max<Index>(1, (args.T_ + kLightningSegment - 1) / kLightningSegment)) {
  }

  Index state_size() const { return args_.D * args_.Dv; }

  /// visit(b, h, powers, tokens of the block, scratch tiles) for every block, the blocks of a task
  /// in the order of the walk; readers then take what the state gives them. Sources without data:
  /// there is no state. `initial` as lightning_forward's state. `touched` are all rows that this
  /// reads or writes.
  template <class Visit>
  void walk(Walk direction, const Sources<T>& sources, std::initializer_list<Reader<T>> readers,
            T* initial, std::initializer_list<TouchedRows<T>> touched, const Visit& visit) const {
    const bool has_state = sources.a.data && (args_.T_ > kLightningBlock || initial);
    Storage states(has_state ? walkers_ * segments_ * state_size() * static_cast<Index>(sizeof(T))
                             : 0);
    T* const first = reinterpret_cast<T*>(states.data());
    if (has_state) enter_segments(direction, sources, initial, first);
    parallel_for(walkers_ * segments_, tasks_per_chunk(), [&](Index begin, Index end) {
      const Storage memory(scratch_size() * static_cast<Index>(sizeof(T)));
      T* const tiles = reinterpret_cast<T*>(memory.data());
      for (Index task = begin; task < end; ++task) {
        const Index bh = task / segments_, segment = task % segments_;
        T* const state = has_state ? first + task * state_size() : nullptr;
        bool empty = !initial && segment == (direction == Walk::right ? 0 : segments_ - 1);
        const Powers<T> powers(args_.decay[bh % args_.H]);
        const bool last = segment == (direction == Walk::right ? segments_ - 1 : 0);
        each_block(direction, segment_tokens(segment), [&](Tokens block, bool final_block) {
          const Index b = bh / args_.H, h = bh % args_.H;
          if (!final_block) {
            const Index next = direction == Walk::right ? block.end : block.begin - kLightningBlock;
            for (const TouchedRows<T>& rows : touched)
              prefetch_rows(rows, b, h, {next, std::min(args_.T_, next + kLightningBlock)});
          }
          visit(b, h, powers, block, tiles);
          if (!has_state) return;
          if (!empty)
            for (const Reader<T>& reader : readers)
              read(reader, direction, b, h, powers, block, state, tiles);
          if (!final_block || (last && initial))
            enter(sources, direction, b, h, powers, block, state, tiles);
          empty = false;
        });
        if (initial && last) std::copy_n(state, state_size(), initial + bh * state_size());
      }
    });
  }

  /// (a b^T) times lambda^|i - j|, 0 where a causal query does not see.
  void scores(HeadGrid<const T> a, HeadGrid<const T> b_rows, Index size, Index b, Index h,
              const Powers<T>& powers, Tokens block, T* tile, const Index* visible) const {
    const Index n = block.size();
    tile_gemm(TileGemm<T>{.m = n,
                          .n = n,
                          .k = size,
                          .a = a.at(b, h, block.begin),
                          .a_row = a.row,
                          .a_column = 1,
                          .b = b_rows.at(b, h, block.begin),
                          .ldb = b_rows.row,
                          .b_transposed = true,
                          .c = tile,
                          .ldc = kLightningBlock,
                          .c_has_room = true,
                          .cut = args_.causal ? Cut::columns : Cut::none,
                          .visible = visible,
                          .precision = precision()});
    scale_diagonals(tile, kLightningBlock, n, n, visible, powers.both + kLightningBlock - 1);
  }

  /// out = tile x (or tile^T x) of one block.
  void apply(const T* tile, bool turned, HeadGrid<const T> x, Index size, Index b, Index h,
             Tokens block, HeadGrid<T> out, const Index* visible) const {
    const Index n = block.size();
    tile_gemm(
        TileGemm<T>{.m = n,
                    .n = size,
                    .k = n,
                    .a = tile,
                    .a_row = turned ? 1 : kLightningBlock,
                    .a_column = turned ? kLightningBlock : 1,
                    .b = x.at(b, h, block.begin),
                    .ldb = x.row,
                    .c = out.at(b, h, block.begin),
                    .ldc = out.row,
                    .cut = args_.causal ? (turned ? Cut::inner_begin : Cut::inner_end) : Cut::none,
                    .visible = visible,
                    .precision = precision()});
  }

  /// The keys that each query of a block sees.
  void count_visible(Index n, Index* visible) const {
    for (Index i = 0; i < n; ++i) visible[i] = args_.causal ? i + 1 : n;
  }

 private:
  Tokens segment_tokens(Index segment) const {
    return segments_ == 1 ? Tokens{0, args_.T_}
                          : Tokens{segment * kLightningSegment,
                                   std::min(args_.T_, (segment + 1) * kLightningSegment)};
  }

  Index scratch_size() const {
    return 2 * kLightningBlock * kLightningBlock + kLightningBlock * std::max(args_.D, args_.Dv);
  }

  Index tasks_per_chunk() const {
    const double tokens =
        static_cast<double>(std::min(args_.T_, segments_ == 1 ? args_.T_ : kLightningSegment));
    const double flops =
        2.0 * tokens *
        static_cast<double>((args_.D + args_.Dv) * std::min(args_.T_, kLightningBlock));
    return std::max<Index>(1, static_cast<Index>(kWalkFlops / std::max(flops, 1.0)));
  }

  template <class Visit>
  void each_block(Walk direction, Tokens tokens, const Visit& visit) const {
    const Index blocks = (tokens.size() + kLightningBlock - 1) / kLightningBlock;
    for (Index i = 0; i < blocks; ++i) {
      const Index begin =
          tokens.begin + (direction == Walk::right ? i : blocks - 1 - i) * kLightningBlock;
      visit(Tokens{begin, std::min(tokens.end, begin + kLightningBlock)}, i == blocks - 1);
    }
  }

  void read(const Reader<T>& reader, Walk direction, Index b, Index h, const Powers<T>& powers,
            Tokens block, const T* state, T* tiles) const {
    if (!reader.out.data) return;
    const Index n = block.size(), in = reader.turned ? args_.Dv : args_.D,
                out = reader.turned ? args_.D : args_.Dv;
    T* const scaled = tiles + 2 * kLightningBlock * kLightningBlock;
    copy_scaled(reader.x.at(b, h, block.begin), reader.x.row, n, in, powers.reads(direction, n),
                scaled);
    tile_gemm(TileGemm<T>{.m = n,
                          .n = out,
                          .k = in,
                          .a = scaled,
                          .a_row = in,
                          .a_column = 1,
                          .b = state,
                          .ldb = args_.Dv,
                          .b_transposed = reader.turned,
                          .accumulate = true,
                          .c = reader.out.at(b, h, block.begin),
                          .ldc = reader.out.row,
                          .precision = precision()});
  }

  /// S = lambda^n S + the block's decayed a^T c.
  void enter(const Sources<T>& sources, Walk direction, Index b, Index h, const Powers<T>& powers,
             Tokens block, T* state, T* tiles) const {
    const Index n = block.size();
    const T decay = powers.both[kLightningBlock - 1 + n];
    T* const scaled = tiles + 2 * kLightningBlock * kLightningBlock;
    copy_scaled(sources.a.at(b, h, block.begin), sources.a.row, n, args_.D,
                powers.enters(direction, n), scaled);
    if (decay != T(1)) scale_rows(state, state_size(), 1, state_size(), &decay);
    tile_gemm(TileGemm<T>{.m = args_.D,
                          .n = args_.Dv,
                          .k = n,
                          .a = scaled,
                          .a_row = 1,
                          .a_column = args_.D,
                          .b = sources.c.at(b, h, block.begin),
                          .ldb = sources.c.row,
                          .accumulate = true,
                          .c = state,
                          .ldc = args_.Dv,
                          .precision = precision()});
  }

  /// The state that every segment finds when it is entered: each sums up its own tokens, then the
  /// sums are carried on in order.
  void enter_segments(Walk direction, const Sources<T>& sources, const T* initial,
                      T* states) const {
    const Index size = state_size();
    std::fill_n(states, walkers_ * segments_ * size, T(0));
    if (segments_ > 1) {
      parallel_for(walkers_ * segments_, 1, [&](Index begin, Index end) {
        const Storage memory(scratch_size() * static_cast<Index>(sizeof(T)));
        T* const tiles = reinterpret_cast<T*>(memory.data());
        for (Index task = begin; task < end; ++task) {
          const Index bh = task / segments_;
          const Powers<T> powers(args_.decay[bh % args_.H]);
          each_block(direction, segment_tokens(task % segments_), [&](Tokens block, bool) {
            enter(sources, direction, bh / args_.H, bh % args_.H, powers, block,
                  states + task * size, tiles);
          });
        }
      });
    }
    const Storage memory(2 * size * static_cast<Index>(sizeof(T)));
    T* carried = reinterpret_cast<T*>(memory.data());
    T* own = carried + size;
    for (Index bh = 0; bh < walkers_; ++bh) {
      if (initial)
        std::copy_n(initial + bh * size, size, carried);
      else
        std::fill_n(carried, size, T(0));
      for (Index i = 0; i < segments_; ++i) {
        const Index segment = direction == Walk::right ? i : segments_ - 1 - i;
        T* const state = states + (bh * segments_ + segment) * size;
        std::copy_n(state, size, own);
        std::copy_n(carried, size, state);
        const T decay = static_cast<T>(math::pow(
            args_.decay[bh % args_.H], static_cast<double>(segment_tokens(segment).size())));
        for (Index e = 0; e < size; ++e) carried[e] = decay * carried[e] + own[e];
      }
    }
  }

  LightningArgs<T> args_;
  Index walkers_, segments_;
};

template <class T>
void lightning_forward_of(const LightningArgs<T>& args, const HeadGrid<T>& out, T* state) {
  if (args.B * args.H * args.T_ == 0) return;
  const Lightning<T> lightning(args);
  const std::initializer_list<TouchedRows<T>> touched{
      {args.q, args.D}, {args.k, args.D}, {args.v, args.Dv}, {as_const(out), args.Dv}};
  lightning.walk(Walk::right, {args.k, args.v}, {{args.q, out, false}}, state, touched,
                 [&](Index b, Index h, const Powers<T>& powers, Tokens block, T* tiles) {
                   Index visible[kLightningBlock];
                   lightning.count_visible(block.size(), visible);
                   lightning.scores(args.q, args.k, args.D, b, h, powers, block, tiles, visible);
                   lightning.apply(tiles, false, args.v, args.Dv, b, h, block, out, visible);
                 });
  if (args.causal || args.T_ <= kLightningBlock) return;
  lightning.walk(Walk::left, {args.k, args.v}, {{args.q, out, false}}, nullptr, touched,
                 [](Index, Index, const Powers<T>&, Tokens, T*) {});
}

template <class T>
void lightning_backward_of(const LightningArgs<T>& args, const HeadGrid<const T>& g,
                           const LightningGradients<T>& to) {
  if (args.B * args.H * args.T_ == 0) return;
  const Lightning<T> lightning(args);
  const bool want_dq = to.dq.data, want_keys = to.dk.data || to.dv.data,
             one_block = args.T_ <= kLightningBlock;
  const auto nothing = [](Index, Index, const Powers<T>&, Tokens, T*) {};
  const Sources<T> keys{want_dq ? args.k : HeadGrid<const T>{}, args.v}, queries{args.q, g};
  const std::initializer_list<TouchedRows<T>> touched{
      {args.q, args.D}, {args.k, args.D},          {args.v, args.Dv},
      {g, args.Dv},     {as_const(to.dk), args.D}, {as_const(to.dv), args.Dv}};
  const auto within_block = [&](bool queries_too, bool keys_too) {
    return [&, queries_too, keys_too](Index b, Index h, const Powers<T>& powers, Tokens block,
                                      T* tiles) {
      Index visible[kLightningBlock];
      lightning.count_visible(block.size(), visible);
      T* const dscores = tiles + kLightningBlock * kLightningBlock;
      const bool dq = queries_too && want_dq, dk = keys_too && to.dk.data,
                 dv = keys_too && to.dv.data;
      if (dq || dk) lightning.scores(g, args.v, args.Dv, b, h, powers, block, dscores, visible);
      if (dq) lightning.apply(dscores, false, args.k, args.D, b, h, block, to.dq, visible);
      if (dk) lightning.apply(dscores, true, args.q, args.D, b, h, block, to.dk, visible);
      if (!dv) return;
      lightning.scores(args.q, args.k, args.D, b, h, powers, block, tiles, visible);
      lightning.apply(tiles, true, g, args.Dv, b, h, block, to.dv, visible);
    };
  };
  if (one_block)
    return lightning.walk(Walk::right, keys, {}, nullptr, touched, within_block(true, true));
  // The scores' gradient is computed in both walks: cheaper than writing dk and dv in one and
  // reading them again in the other.
  if (want_dq)
    lightning.walk(Walk::right, keys, {{g, to.dq, true}}, nullptr,
                   {{args.k, args.D}, {args.v, args.Dv}, {g, args.Dv}, {as_const(to.dq), args.D}},
                   within_block(true, false));
  if (want_keys)
    lightning.walk(Walk::left, queries, {{args.v, to.dk, true}, {args.k, to.dv, false}}, nullptr,
                   touched, within_block(false, true));
  if (args.causal) return;
  if (want_dq) lightning.walk(Walk::left, keys, {{g, to.dq, true}}, nullptr, touched, nothing);
  if (want_keys)
    lightning.walk(Walk::right, queries, {{args.v, to.dk, true}, {args.k, to.dv, false}}, nullptr,
                   touched, nothing);
}

}  // namespace

template <class T>
void lightning_forward(const LightningArgs<T>& args, const HeadGrid<T>& out, T* state) {
  lightning_forward_of(args, out, state);
}
template <class T>
void lightning_backward(const LightningArgs<T>& args, const HeadGrid<const T>& g,
                        const LightningGradients<T>& gradients) {
  lightning_backward_of(args, g, gradients);
}

template void lightning_forward(const LightningArgs<float>&, const HeadGrid<float>&, float*);
template void lightning_forward(const LightningArgs<double>&, const HeadGrid<double>&, double*);
template void lightning_backward(const LightningArgs<float>&, const HeadGrid<const float>&,
                                 const LightningGradients<float>&);
template void lightning_backward(const LightningArgs<double>&, const HeadGrid<const double>&,
                                 const LightningGradients<double>&);

}  // namespace weft::kernels
