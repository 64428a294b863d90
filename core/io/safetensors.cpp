#include "core/io/safetensors.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/open_files.h"
#include "core/phase.h"

namespace weft {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian, and is written as memory holds it");

constexpr std::int64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation

constexpr std::pair<const char*, DType> kDTypes[] = {{"F32", DType::f32}, {"F64", DType::f64},
                                                     {"I32", DType::i32}, {"I64", DType::i64},
                                                     {"U8", DType::u8},   {"BF16", DType::bf16}};

const char* dtype_code(DType dtype) {
  return std::find_if(std::begin(kDTypes), std::end(kDTypes),
                      [&](const auto& entry) { return entry.second == dtype; })
      ->first;
}

/// One tensor as the header describes it; begin and end count from the first byte after the header.
struct Entry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape{};
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Header {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string data_checksum, header_checksum;  ///< as written; empty in files of other programs
  std::int64_t data_offset = 0;
};

std::string printable(std::string_view name) {
  std::string text(name.substr(0, 80));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return text;
}

/// Keys of __metadata__ under which checksums stand, CRC-32 as 8 hexadecimal digits: of the
/// elements of all tensors in file order, and of what else the header says (texts; each tensor's
/// name, dtype, shape and place).
constexpr const char* kDataChecksumKey = "weft_crc32";
constexpr const char* kHeaderChecksumKey = "weft_header_crc32";

class Checksum {
 public:
  void add(const std::string& text) {
    add(static_cast<std::int64_t>(text.size()));
    add(text.data(), static_cast<std::int64_t>(text.size()));
  }
  void add(std::int64_t number) { add(&number, sizeof number); }
  void add(const void* data, std::int64_t bytes) {
    value_ = ::crc32_z(value_, static_cast<const Bytef*>(data), static_cast<z_size_t>(bytes));
  }
  std::string text() const { return fmt::format("{:08x}", value_); }

 private:
  uLong value_ = ::crc32_z(0, nullptr, 0);
};

std::string header_checksum(const Header& header) {
  Checksum sum;
  sum.add(header.data_checksum);
  for (const auto& [key, text] : header.metadata) {
    sum.add(key);
    sum.add(text);
  }
  for (const Entry& entry : header.entries) {
    sum.add(entry.name);
    sum.add(std::string(dtype_code(entry.dtype)));
    for (const std::int64_t size : entry.shape) sum.add(size);
    sum.add(entry.begin);
    sum.add(entry.end);
  }
  return sum.text();
}

Json parse_header(const std::string& where, const std::string& text) {
  // A name that occurs twice would silently hide the first, so the parser is asked to tell.
  std::set<std::string> names;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 8) fail<IoError>(where, "the header is nested too deeply");
    if (event == Json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object())
    fail<IoError>(where,
                  "the header is not a JSON object: not a safetensors file, or a truncated one");
  if (!twice.empty()) fail<IoError>(where, "the tensor {} occurs twice", printable(twice));
  return json;
}

std::int64_t whole_number(const std::string& where, const std::string& name, const Json& value,
                          const char* what) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > (std::uint64_t{1} << 62)) {
    fail<IoError>(where, "tensor {}: {} must be whole numbers from 0 up", name, what);
  }
  return static_cast<std::int64_t>(value.get<std::uint64_t>());
}

Entry parse_entry(const std::string& where, const std::string& raw_name, const Json& json,
                  std::int64_t data_bytes) {
  const std::string name = printable(raw_name);
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    fail<IoError>(where, "tensor {}: expects dtype, shape and data_offsets", name);
  }
  Entry entry{.name = raw_name};
  const Json& dtype = json["dtype"];
  const auto* const known =
      std::find_if(std::begin(kDTypes), std::end(kDTypes),
                   [&](const auto& known_dtype) { return dtype == known_dtype.first; });
  if (known == std::end(kDTypes))
    fail<IoError>(where, "tensor {}: dtype {} is not one of F32, F64, I32, I64, U8", name,
                  printable(dtype.dump()));
  entry.dtype = known->second;

  const Json& shape = json["shape"];
  if (!shape.is_array() || shape.size() > static_cast<std::size_t>(Shape::kMaxRank)) {
    fail<IoError>(where, "tensor {}: the shape must list at most {} sizes", name, Shape::kMaxRank);
  }
  for (const Json& size : shape) entry.shape.push_back(whole_number(where, name, size, "sizes"));

  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    fail<IoError>(where, "tensor {}: data_offsets must be two numbers", name);
  entry.begin = whole_number(where, name, offsets[0], "offsets");
  entry.end = whole_number(where, name, offsets[1], "offsets");
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail<IoError>(
        where,
        "tensor {}: bytes {} to {} lie outside the file's {} bytes of data: the file is truncated",
        name, entry.begin, entry.end, data_bytes);
  }
  std::int64_t numel = 0;
  try {
    numel = entry.shape.numel();
  } catch (const ShapeError&) {
    fail<IoError>(where, "tensor {}: the shape {} is too large", name, entry.shape.str());
  }
  const std::int64_t held = entry.end - entry.begin;
  if (held / item_size(entry.dtype) != numel || held % item_size(entry.dtype) != 0) {
    fail<IoError>(where, "tensor {}: {} {} does not fill {} bytes", name, weft::name(entry.dtype),
                  entry.shape.str(), held);
  }
  return entry;
}

/// What a header says; its texts are not yet checked against its checksum.
Header header_of(const std::string& where, const std::string& text, std::int64_t data_bytes) {
  const Json json = parse_header(where, text);
  Header header;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) fail<IoError>(where, "__metadata__ must be an object of texts");
      for (const auto& [key, text_value] : value.items()) {
        if (!text_value.is_string())
          fail<IoError>(where, "__metadata__ must be an object of texts, {} is not one",
                        printable(key));
        (key == kDataChecksumKey     ? header.data_checksum
         : key == kHeaderChecksumKey ? header.header_checksum
                                     : header.metadata[key]) = text_value.get<std::string>();
      }
      continue;
    }
    header.entries.push_back(parse_entry(where, name, value, data_bytes));
  }

  std::vector<const Entry*> by_place;
  for (const Entry& entry : header.entries) by_place.push_back(&entry);
  std::sort(by_place.begin(), by_place.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::int64_t next = 0;
  for (const Entry* entry : by_place) {
    if (entry->begin != next) {
      fail<IoError>(where,
                    "tensor {}: its bytes begin at {}, but those before it end at {}: tensors may "
                    "neither overlap nor leave holes",
                    printable(entry->name), entry->begin, next);
    }
    next = entry->end;
  }
  if (next != data_bytes)
    fail<IoError>(where, "{} bytes of data, but the tensors hold {}: the file is truncated",
                  data_bytes, next);
  return header;
}

Header read_header(const std::string& where, const files::InputFile& file) {
  if (file.size() < 8)
    fail<IoError>(where, "is not a safetensors file: {} bytes, the header's length alone takes 8",
                  file.size());
  std::uint64_t length = 0;
  file.read_at(0, &length, sizeof length);
  if (length > static_cast<std::uint64_t>(kMaxHeaderBytes) ||
      static_cast<std::int64_t>(length) > file.size() - 8) {
    fail<IoError>(where,
                  "the header's length, {}, does not fit a file of {} bytes: not a safetensors "
                  "file, or a truncated one",
                  length, file.size());
  }
  std::string text(length, '\0');
  file.read_at(8, text.data(), text.size());
  Header header = header_of(where, text, file.size() - 8 - static_cast<std::int64_t>(length));
  header.data_offset = 8 + static_cast<std::int64_t>(length);
  if (!header.header_checksum.empty() && header.header_checksum != header_checksum(header)) {
    fail<IoError>(where,
                  "is damaged: its header has the checksum {}, and {} was written; take another "
                  "copy of it, or best.safetensors",
                  header_checksum(header), printable(header.header_checksum));
  }
  return header;
}

}  // namespace

Tensor TensorFile::find(const std::string& name) const {
  for (const auto& [key, tensor] : tensors) {
    if (key == name) return tensor;
  }
  return {};
}

void write_safetensors(const fs::path& path, const TensorFile& file) {
  Json json = Json::object();
  json["__metadata__"] = file.metadata;
  Checksum checksum;
  for (const auto& [name, tensor] : file.tensors) {
    const Tensor rows = raw::contiguous(tensor);
    checksum.add(rows.raw_data(), rows.numel() * item_size(rows.dtype()));
  }
  json["__metadata__"][kDataChecksumKey] = checksum.text();
  std::set<std::string> names;
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (name == "__metadata__" || !names.insert(name).second)
      fail<IoError>(path.string(), "two tensors cannot share the name {}", name);
    const std::int64_t bytes = tensor.numel() * item_size(tensor.dtype());
    json[name] = {
        {"dtype", dtype_code(tensor.dtype())},
        {"shape", std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end())},
        {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  const auto header_text = [&] {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  json["__metadata__"][kHeaderChecksumKey] = header_checksum(
      header_of(path.string(), header_text(), offset));  // of what a reader will see
  std::string text = header_text();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the elements are aligned
  const std::uint64_t length = text.size();

  AtomicFile out(path.string());
  out.write(&length, sizeof length);
  out.write(text);
  for (const auto& [name, tensor] : file.tensors) {
    const Tensor rows = raw::contiguous(tensor);
    out.write(rows.raw_data(), static_cast<std::size_t>(rows.numel() * item_size(rows.dtype())));
  }
  out.commit();
}

TensorFile read_safetensors(const fs::path& path) {
  const Phase phase("reading {}", path.string());
  const files::InputFile file(path);
  Header header = read_header(path.string(), file);
  TensorFile result{.metadata = std::move(header.metadata),
                    .checked = !header.header_checksum.empty()};
  Checksum checksum;
  for (const Entry& entry : header.entries) {
    const Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    file.read_at(header.data_offset + entry.begin, tensor.raw_data(),
                 static_cast<std::size_t>(entry.end - entry.begin));
    result.tensors.emplace_back(entry.name, tensor);
  }
  std::vector<const Entry*> by_place;
  for (const Entry& entry : header.entries) by_place.push_back(&entry);
  std::sort(by_place.begin(), by_place.end(),
            [](const Entry* a, const Entry* b) { return a->begin < b->begin; });
  for (const Entry* entry : by_place) {
    const Tensor& tensor =
        result.tensors[static_cast<std::size_t>(entry - header.entries.data())].second;
    checksum.add(tensor.raw_data(), entry->end - entry->begin);
  }
  if (!header.data_checksum.empty() && header.data_checksum != checksum.text()) {
    fail<IoError>(path.string(),
                  "is damaged: its tensors have the checksum {}, and {} was written; take another "
                  "copy of it, or best.safetensors",
                  checksum.text(), header.data_checksum);
  }
  return result;
}

TensorFile read_safetensors_header(const fs::path& path) {
  Header header = read_header(path.string(), files::InputFile(path));
  return {.metadata = std::move(header.metadata), .checked = !header.header_checksum.empty()};
}

}  // namespace weft
