// EncoderDecoder::beam_search: the targets that are likeliest as a whole.
#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "core/math.h"
#include "nn/check.h"
#include "nn/models/encoder_decoder.h"

namespace weft::nn {
namespace {

double penalized(const Hypothesis& h, double alpha) {
  return h.log_probability / math::pow((5 + static_cast<double>(h.ids.size())) / 6, alpha);
}

bool is_better(const Hypothesis& a, const Hypothesis& b) {
  return a.score != b.score ? a.score > b.score : a.ids < b.ids;
}

/// Rows `rows` of dimension 0, in that order.
Tensor gather_rows(const Tensor& t, const std::vector<std::int64_t>& rows) {
  if (!t.defined()) return t;
  Shape shape = t.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  const Tensor out = Tensor::empty(shape, t.dtype());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    raw::slice(out, 0, at, at + 1).copy_from(raw::slice(t, 0, rows[i], rows[i] + 1));
  }
  return out;
}

/// Log-probabilities of a row of logits.
std::vector<double> log_softmax_row(std::vector<double> row) {
  check_logits("beam_search", row);
  const double largest = *std::max_element(row.begin(), row.end());
  double total = 0;
  for (const double value : row) total += math::exp(value - largest);
  for (double& value : row) value -= largest + math::log(total);
  return row;
}

/// Which ids a target may hold after its start.
std::vector<bool> allowed_ids(const BeamOptions& options, std::int64_t vocabulary) {
  std::vector<bool> allowed(static_cast<std::size_t>(vocabulary), true);
  if (options.start < 0 || options.start >= vocabulary)
    fail<ConfigError>("beam_search", "start {} is outside the vocabulary of {}", options.start,
                      vocabulary);
  if (options.start != options.end) allowed[static_cast<std::size_t>(options.start)] = false;
  for (const std::int64_t id : options.forbidden) {
    if (id < 0 || id >= vocabulary)
      fail<ConfigError>("beam_search", "the forbidden id {} is outside the vocabulary of {}", id,
                        vocabulary);
    if (id == options.end)
      fail<ConfigError>("beam_search", "the id {} ends a target and is forbidden at once", id);
    allowed[static_cast<std::size_t>(id)] = false;
  }
  if (std::find(allowed.begin(), allowed.end(), true) == allowed.end())
    fail<ConfigError>("beam_search", "all of the {} ids are forbidden: nothing is left to choose",
                      vocabulary);
  return allowed;
}

struct Extension {
  std::int64_t parent;
  std::int64_t id;
  double log_probability;
};

}  // namespace

void BeamOptions::validate() const {
  if (beam < 1 || beam > 1024)
    fail<ConfigError>("beam_search", "beam must be 1 to 1024, got {}", beam);
  if (max_length < 0)
    fail<ConfigError>("beam_search", "max_length must be at least 0, got {}", max_length);
  if (!(length_penalty >= 0) || !std::isfinite(length_penalty))
    fail<ConfigError>("beam_search", "length_penalty must be finite and at least 0, got {}",
                      length_penalty);
}

std::vector<Hypothesis> EncoderDecoder::beam_search(const std::vector<std::int64_t>& source,
                                                    const BeamOptions& options) {
  options.validate();
  const std::int64_t most = options.max_length > 0 ? options.max_length : config_.block_size;
  if (source.empty())
    fail<ConfigError>("beam_search", "the source is empty; give at least one token");
  if (most > config_.block_size)
    fail<ConfigError>("beam_search", "max_length {} is more than block_size, {}", most,
                      config_.block_size);
  if (options.end >= config_.vocab_size)
    fail<ConfigError>("beam_search", "end {} is outside the vocabulary of {}", options.end,
                      config_.vocab_size);
  const std::vector<bool> allowed = allowed_ids(options, config_.vocab_size);
  const NoGrad no_grad;
  const EvalMode eval(*this);
  const Tensor memory = encode(Tensor::from(source, {1, static_cast<std::int64_t>(source.size())}));

  std::vector<Hypothesis> alive(1), done;
  std::vector<std::int64_t> last{options.start};
  std::vector<KvCache> caches;
  for (std::int64_t step = 0; step < most && !alive.empty(); ++step) {
    const auto beams = static_cast<std::int64_t>(alive.size());
    const Tensor logits =
        decode(Tensor::from(last, {beams, 1}),
               raw::expand(memory, {beams, memory.size(1), memory.size(2)}), Tensor(), &caches);
    std::vector<Extension> extensions;
    for (std::int64_t b = 0; b < beams; ++b) {
      const auto row = log_softmax_row(raw::slice(logits, 0, b, b + 1).to_vector<double>());
      for (std::size_t id = 0; id < row.size(); ++id)
        if (allowed[id])
          extensions.push_back({b, static_cast<std::int64_t>(id),
                                alive[static_cast<std::size_t>(b)].log_probability + row[id]});
    }
    // Of the best 2 x beam, at most `beam` end here, so that `beam` are left to go on.
    const std::size_t kept =
        std::min(extensions.size(), static_cast<std::size_t>(2 * options.beam));
    std::partial_sort(extensions.begin(), extensions.begin() + static_cast<std::ptrdiff_t>(kept),
                      extensions.end(), [](const Extension& a, const Extension& b) {
                        return a.log_probability != b.log_probability
                                   ? a.log_probability > b.log_probability
                                   : std::pair(a.parent, a.id) < std::pair(b.parent, b.id);
                      });
    extensions.resize(kept);
    std::vector<Hypothesis> next;
    std::vector<std::int64_t> parents;
    last.clear();
    for (const Extension& extension : extensions) {
      if (static_cast<std::int64_t>(next.size()) == options.beam) break;
      Hypothesis longer = alive[static_cast<std::size_t>(extension.parent)];
      longer.ids.push_back(extension.id);
      longer.log_probability = extension.log_probability;
      longer.score = penalized(longer, options.length_penalty);
      if (extension.id == options.end || step + 1 == most) {
        done.push_back(longer);
        if (step + 1 < most) continue;
      }
      parents.push_back(extension.parent);
      last.push_back(extension.id);
      next.push_back(std::move(longer));
    }
    alive = std::move(next);
    std::sort(done.begin(), done.end(), is_better);
    if (done.size() > static_cast<std::size_t>(options.beam))
      done.resize(static_cast<std::size_t>(options.beam));
    // Log-probabilities only fall, so the highest score that a living one can still reach is what
    // it has now, at the full length.
    if (done.size() == static_cast<std::size_t>(options.beam) && !alive.empty()) {
      const double bound = alive.front().log_probability /
                           math::pow((5 + static_cast<double>(most)) / 6, options.length_penalty);
      if (done.back().score >= bound) break;
    }
    for (KvCache& cache : caches)
      cache.keys = gather_rows(cache.keys, parents),
      cache.values = gather_rows(cache.values, parents),
      cache.state = gather_rows(cache.state, parents);
  }
  return done;
}

}  // namespace weft::nn
