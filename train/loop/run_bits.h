// The bits of a run: one hash of all that training came to. Equal commands on equal data come to
// equal bits with the same version of weft, on any CPU and with any number of threads, stopped and
// resumed or not (core/README.md, "The same bits").
#pragma once

#include <filesystem>
#include <string>

namespace weft::train {

/// Of parameters, averages and the optimizer's state as last.safetensors holds them, of every
/// record of metrics.jsonl and of the figures of the end; not of times, speeds and memory. Sixteen
/// hexadecimal digits. `summary` is summary.json, or what will be in it. Throws IoError for a
/// folder without these files.
std::string run_bits(const std::filesystem::path& run, const std::string& summary);

/// What differs first between two finished runs, in a sentence: the earliest step whose record has
/// another value and both values, or the tensor of the checkpoint. Empty where nothing does.
std::string first_difference(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace weft::train
