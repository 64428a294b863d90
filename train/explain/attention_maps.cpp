#include "train/explain/attention_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/autograd.h"
#include "core/error.h"
#include "data/image/image_dataset.h"
#include "train/explain/text_picture.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kMostAtOnce = 4 * kMostWeights;  // weights held while averaging
constexpr std::int64_t kMostNeighbors = 5;

/// inputs -> each layer's weights (B, H, T, T).
using Attend = std::function<std::vector<Tensor>(const Tensor& inputs)>;

/// Layer by layer (H, T, T), or where that is too much the mean over the queries, (H, 1, T).
std::vector<Tensor> maps_of_one(const std::vector<Tensor>& weights, AttentionMaps& maps) {
  const std::int64_t heads = weights.front().size(1), tokens = weights.front().size(2);
  const bool whole =
      static_cast<std::int64_t>(weights.size()) * heads * tokens * tokens <= kMostWeights;
  if (!whole)
    maps.notes.push_back(
        fmt::format("{} layers of {} heads on {} tokens are too many weights to show: these are "
                    "their means over the queries.",
                    weights.size(), heads, tokens));
  std::vector<Tensor> result;
  for (const Tensor& layer : weights) {
    const Tensor one =
        raw::contiguous(raw::reshape(raw::cast(layer, DType::f64), {heads, tokens, tokens}));
    if (whole) {
      result.push_back(one);
      continue;
    }
    const Tensor mean = Tensor::zeros({heads, 1, tokens}, DType::f64);
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t q = 0; q < tokens; ++q)
        for (std::int64_t k = 0; k < tokens; ++k)
          mean.data<double>()[h * tokens + k] +=
              one.data<double>()[(h * tokens + q) * tokens + k] / static_cast<double>(tokens);
    result.push_back(mean);
  }
  return result;
}

/// Mean distances over `count` samples, of which `inputs(first, rows)` makes a batch.
std::vector<std::vector<double>> average_distances(
    std::int64_t count, std::int64_t at_once,
    const std::function<Tensor(std::int64_t, std::int64_t)>& inputs, const Attend& attend,
    const Tensor& distances, std::int64_t skip) {
  std::vector<std::vector<double>> sums;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t rows = std::min(at_once, count - first);
    const std::vector<Tensor> weights = attend(inputs(first, rows));
    sums.resize(weights.size());
    for (std::size_t l = 0; l < weights.size(); ++l) {
      const Shape& shape = weights[l].shape();
      sums[l].resize(static_cast<std::size_t>(shape[1]), 0.0);
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto one = mean_distances(
            raw::reshape(raw::slice(weights[l], 0, r, r + 1), {shape[1], shape[2], shape[3]}),
            distances, skip);
        for (std::size_t h = 0; h < one.size(); ++h)
          sums[l][h] += one[h] / static_cast<double>(count);
      }
    }
  }
  return sums;
}

std::int64_t rows_at_once(std::int64_t layers, std::int64_t heads, std::int64_t tokens) {
  return std::clamp<std::int64_t>(
      kMostAtOnce / std::max<std::int64_t>(1, layers * heads * tokens * tokens), 1, 64);
}

void check_samples(std::int64_t samples) {
  if (samples < 1 || samples > kMostSamples)
    fail<ConfigError>("explain", "samples must be from 1 to {}, got {}", kMostSamples, samples);
}

/// The run's own data, or why they are not to be had.
template <class Data>
struct OptionalData {
  std::optional<Data> data;
  std::string why;
};

template <class Data>
OptionalData<Data> find_data(const std::function<Data()>& load) {
  try {
    return {load(), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

Tensor window_of(const Tensor& ids, std::int64_t first, std::int64_t length) {
  return raw::cast(raw::slice(ids, 0, first, first + length), DType::i64);
}

std::vector<TokenNeighbors> neighbors_of(const train::TextAttention& run,
                                         const std::vector<std::int64_t>& ids) {
  const Neighbors neighbors(run.token_table());
  std::vector<std::int64_t> different;
  for (const std::int64_t id : ids)
    if (std::find(different.begin(), different.end(), id) == different.end())
      different.push_back(id);
  std::vector<TokenNeighbors> result;
  for (const std::int64_t id : different) {
    TokenNeighbors one{.token = visible(run.tokenizer().decode(id)), .nearest = {}};
    for (const Neighbor& n : neighbors.of(id, kMostNeighbors))
      one.nearest.emplace_back(visible(run.tokenizer().decode(n.id)), n.cosine);
    result.push_back(std::move(one));
  }
  return result;
}

/// The picture asked for, and its name.
std::pair<Tensor, std::string> picture_of(const train::ImageAttention& run,
                                          const std::string& wanted,
                                          const OptionalData<data::ImageData>& found,
                                          std::vector<std::string>& notes) {
  if (!wanted.empty() &&
      std::all_of(wanted.begin(), wanted.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    if (!found.data)
      fail<IoError>("explain",
                    "the run's test images are not available: {}; name a PNG file with --image",
                    found.why);
    const std::int64_t count = found.data->size(data::Split::test);
    const std::int64_t index = wanted.size() > 12 ? count : std::stoll(wanted);
    if (index >= count)
      fail<IndexError>("explain", "test image {} does not exist: there are {}, counted from 0",
                       wanted, count);
    const Tensor images = found.data->images(data::Split::test);
    const auto label = found.data->labels(data::Split::test)
                           .to_vector<std::int64_t>()[static_cast<std::size_t>(index)];
    return {raw::reshape(raw::slice(images, 0, index, index + 1),
                         {images.size(1), images.size(2), images.size(3)}),
            fmt::format("test image {} (class {})", index, label)};
  }
  train::Picture picture = run.picture(wanted);
  if (picture.inverted) notes.push_back(picture.note);
  return {std::move(picture.pixels), wanted};
}

}  // namespace

TextMaps explain_text(const train::TextAttention& run, const MapOptions& options) {
  check_samples(options.samples);
  const NoGrad no_grad;
  const train::TextAttention::Sizes model = run.attention_sizes();
  TextMaps maps;
  maps.causal = true;
  maps.model = run.model_line();

  const auto found = find_data<Tensor>([&] { return run.validation_ids(); });
  const std::int64_t validation = found.data ? found.data->numel() : 0;
  std::vector<std::int64_t> ids;
  if (options.text) {
    if (options.text->empty()) fail<ConfigError>("explain", "text must not be empty");
    ids = run.tokenizer().encode(*options.text, "text");
  } else {
    if (!found.data)
      fail<IoError>("explain", "the run's text is not available: {}; give one with --text",
                    found.why);
    if (validation == 0)
      fail<ConfigError>("explain",
                        "the run's text has no validation part; give a text with --text");
    ids = window_of(*found.data, 0, std::min(validation, model.context)).to_vector<std::int64_t>();
  }
  const auto most = static_cast<std::int64_t>(std::sqrt(
      static_cast<double>(kMostWeights) / static_cast<double>(model.layers * model.heads)));
  const std::int64_t longest = std::clamp<std::int64_t>(most, 1, model.context);
  if (static_cast<std::int64_t>(ids.size()) > longest) {
    maps.notes.push_back(fmt::format(
        "Only the first {} of {} tokens are shown: {}.", longest, ids.size(),
        longest == model.context ? "the model's context" : "more weights do not fit a page"));
    ids.resize(static_cast<std::size_t>(longest));
  }
  for (const std::int64_t id : ids) maps.tokens.push_back(visible(run.tokenizer().decode(id)));

  const Attend attend = [&](const Tensor& inputs) { return run.attention(inputs); };
  const auto length = static_cast<std::int64_t>(ids.size());
  maps.layers = maps_of_one(attend(Tensor::from(ids, {1, length})), maps);
  maps.title =
      fmt::format("What each head attends to in {} token{}", length, length == 1 ? "" : "s");

  maps.distances.unit = "tokens";
  const std::int64_t span = std::min(longest, validation);
  if (span > 0) {
    const Tensor& text = *found.data;
    const std::int64_t count = std::clamp<std::int64_t>(validation / span, 1, options.samples),
                       stride = count > 1 ? (validation - span) / (count - 1) : 0;
    const Tensor distances = token_distances(span);
    const auto inputs = [&](std::int64_t first, std::int64_t rows) {
      const Tensor batch = Tensor::empty({rows, span}, DType::i64);
      for (std::int64_t r = 0; r < rows; ++r)
        raw::reshape(raw::slice(batch, 0, r, r + 1), {span})
            .copy_from(window_of(text, (first + r) * stride, span));
      return batch;
    };
    maps.distances.mean = average_distances(count, rows_at_once(model.layers, model.heads, span),
                                            inputs, attend, distances, 0);
    maps.distances.uniform = uniform_distance(distances, true);
    maps.distances.samples =
        fmt::format("{} pieces of {} tokens of the validation text", count, span);
  } else {
    const Tensor distances = token_distances(length);
    const auto inputs = [&](std::int64_t, std::int64_t) { return Tensor::from(ids, {1, length}); };
    maps.distances.mean = average_distances(1, 1, inputs, attend, distances, 0);
    maps.distances.uniform = uniform_distance(distances, true);
    maps.distances.samples = "this text";
    maps.notes.push_back(
        "The run's own text is not available, so distances are of this text alone.");
  }
  maps.neighbors = neighbors_of(run, ids);
  return maps;
}

ImageMaps explain_image(const train::ImageAttention& run, const MapOptions& options) {
  check_samples(options.samples);
  const train::ImageAttention::Grid grid = run.attention_grid();
  const NoGrad no_grad;
  ImageMaps maps;
  maps.model = run.model_line();
  maps.patch = grid.patch;
  maps.class_token = grid.class_token;
  maps.cnn = receptive_field(nn::CnnConfig{.image_height = grid.height, .image_width = grid.width});

  const auto found = find_data<data::ImageData>([&] { return run.images(); });
  auto [image, name] = picture_of(run, options.image.value_or("0"), found, maps.notes);
  maps.image = raw::contiguous(image);
  maps.title = "What each head attends to in " + name;
  const std::int64_t rows = grid.height / grid.patch, columns = grid.width / grid.patch,
                     skip = maps.class_token ? 1 : 0;
  if (maps.class_token) maps.tokens.emplace_back("class token");
  for (std::int64_t i = 0; i < rows * columns; ++i)
    maps.tokens.push_back(fmt::format("row {}, column {}", i / columns + 1, i % columns + 1));

  const Attend attend = [&](const Tensor& inputs) { return run.attention(inputs); };
  const Tensor one = raw::reshape(maps.image, {1, grid.channels, grid.height, grid.width});
  maps.layers = maps_of_one(attend(one), maps);

  const Tensor distances = patch_distances(rows, columns, grid.patch);
  const std::int64_t count =
      found.data ? std::min(options.samples, found.data->size(data::Split::test)) : 0;
  const auto inputs = [&](std::int64_t first, std::int64_t batch) {
    return count > 0 ? raw::slice(found.data->images(data::Split::test), 0, first, first + batch)
                     : one;
  };
  maps.distances.mean =
      average_distances(std::max<std::int64_t>(count, 1),
                        rows_at_once(grid.layers, grid.heads, rows * columns + skip), inputs,
                        attend, distances, skip);
  maps.distances.uniform = uniform_distance(distances, false);
  maps.distances.unit = "pixels";
  maps.distances.samples =
      count > 0 ? fmt::format("the first {} test images", count) : "this image";
  if (count == 0)
    maps.notes.push_back(
        "The run's test images are not available, so distances are of this image alone.");
  return maps;
}

}  // namespace weft::explain
