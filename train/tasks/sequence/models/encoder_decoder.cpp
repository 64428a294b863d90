#include "nn/models/encoder_decoder.h"
#include "train/tasks/sequence/sequence_model.h"

namespace weft::train {
namespace {

/// As it was first described.
struct SequenceEncoderDecoderChoices : BlockOptions {
  SequenceEncoderDecoderChoices() {
    layers = 2;
    heads = 1;
    width = 64;
    post_norm = true;
    activation = "relu";
    init = "torch";
    positions = "sinusoidal";
  }

  bool tie = true;
};

class SequenceEncoderDecoderEntry : public SequenceModelOf<SequenceEncoderDecoderChoices> {
 public:
  std::string name() const override { return "encoder_decoder"; }
  std::string about() const override {
    return "with an encoder for what is to be copied, reversed or added";
  }

  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = block_fields("blocks of the decoder, and of the encoder");
      append(all, {{"tie", "Model", &SequenceEncoderDecoderChoices::tie,
                    "the head shares the embedding's weights"}});
      return all;
    }();
    return table;
  }

  bool needs_source() const override { return true; }

  /// The encoder reads what comes before the sign or separator.
  SequenceSolver build(const SequenceConfig& c, const data::SequenceData& data) const override {
    const auto& o = c.model.as<SequenceEncoderDecoderChoices>();
    nn::EncoderDecoderConfig config;
    config.vocab_size = data.vocab_size();
    config.source_size = data.source_length();
    config.block_size = data.length() - data.source_length();
    set_blocks(config, o);
    config.tie_weights = o.tie;
    auto model = std::make_unique<nn::EncoderDecoder>(config);
    const auto answer = [model = model.get(),
                         cut = data.source_length()](const data::SequenceBatch& batch) -> Answers {
      const std::int64_t end = batch.inputs.size(1);
      const Tensor source = raw::slice(batch.inputs, 1, 0, cut),
                   target = raw::slice(batch.inputs, 1, cut, end);
      return {(*model)(source, target), raw::contiguous(raw::slice(batch.targets, 1, cut, end))};
    };
    return {std::move(model), answer};
  }
};

}  // namespace

const Entry& encoder_decoder_sequence_model() {
  static const SequenceEncoderDecoderEntry entry;
  return entry;
}

}  // namespace weft::train
