#include "core/io/npy.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "core/io/file.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files and memory are both little-endian");

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr std::size_t kDataAlignment = 64;  // of the data in the file

std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, count);
  return value;
}

std::string_view code(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "<f8";
    case DType::i32:
      return "<i4";
    case DType::i64:
      return "<i8";
    case DType::u8:
      return "|u1";
    case DType::bf16:
      fail<DTypeError>("npy", "the format has no bf16; cast the tensor to f32");
    default:
      return "<f4";
  }
}

std::optional<DType> dtype_of_code(std::string_view text) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
    if (text == code(dtype)) return dtype;
  if (text == "|b1") return DType::u8;
  return std::nullopt;
}

/// Reads the Python dictionary of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (2,
/// 3), }
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view where) : text_(text), where_(where) {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr")
        descr_ = quoted();
      else if (key == "fortran_order")
        fortran_ = boolean();
      else if (key == "shape")
        shape_ = tuple();
      else
        refuse();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty() || !descr_ || !fortran_ || !shape_) refuse();
  }

  std::string_view descr() const { return *descr_; }
  bool fortran() const { return *fortran_; }
  const Shape& shape() const { return *shape_; }

 private:
  [[noreturn]] void refuse() const {
    fail<IoError>(where_, "the array's header is not one that NumPy writes");
  }

  void skip_space() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse();
  }
  std::string_view quoted() {
    expect('\'');
    const std::size_t end = text_.find('\'');
    if (end == std::string_view::npos) refuse();
    const std::string_view value = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return value;
  }
  bool boolean() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(0, word.size()) != word) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    refuse();
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc{} || size < 0) refuse();
      if (shape.rank() == Shape::kMaxRank)
        fail<IoError>(where_, "the array has more than {} dimensions", Shape::kMaxRank);
      shape.push_back(size);
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  std::string_view where_;
  std::optional<std::string_view> descr_;
  std::optional<bool> fortran_;
  std::optional<Shape> shape_;
};

/// Bytes of the array, or nothing where they cannot be counted.
std::optional<std::uint64_t> byte_count(const Shape& shape, DType dtype) {
  std::uint64_t bytes = static_cast<std::uint64_t>(item_size(dtype));
  bool zero = false;
  for (const std::int64_t size : shape) {
    zero = zero || size == 0;
    if (size > 0 && __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
      return std::nullopt;
  }
  if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2)
    return std::nullopt;
  return zero ? 0 : bytes;
}

Shape reversed(const Shape& shape) {
  Shape out;
  for (int i = shape.rank() - 1; i >= 0; --i) out.push_back(shape[i]);
  return out;
}

}  // namespace

Tensor parse_npy(std::string_view bytes, std::string_view where) {
  if (bytes.size() < 10 || bytes.substr(0, kMagic.size()) != kMagic)
    fail<IoError>(where, "is not a NumPy array file");
  const auto version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    fail<IoError>(where, "has version {} of the NumPy format; 1 to 3 are read", version);
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) fail<IoError>(where, "ends inside the array's header");
  const std::uint64_t length = little_endian(bytes, 8, start - 8);
  if (length > bytes.size() - start) fail<IoError>(where, "ends inside the array's header");
  const HeaderParser header(bytes.substr(start, length), where);
  const std::optional<DType> dtype = dtype_of_code(header.descr());
  if (!dtype)
    fail<IoError>(where, "holds elements of type {}; read are <f4 <f8 <i4 <i8 |u1 |b1",
                  header.descr());
  const std::string_view data = bytes.substr(start + length);
  const std::optional<std::uint64_t> wanted = byte_count(header.shape(), *dtype);
  if (!wanted || *wanted != data.size())
    fail<IoError>(where, "shape {} of {} does not match the {} bytes of data that follow",
                  header.shape().str(), name(*dtype), data.size());
  const Tensor t =
      Tensor::empty(header.fortran() ? reversed(header.shape()) : header.shape(), *dtype);
  if (!data.empty()) std::memcpy(t.raw_data(), data.data(), data.size());
  if (!header.fortran()) return t;
  Shape order;
  for (int i = t.rank() - 1; i >= 0; --i) order.push_back(i);
  return raw::contiguous(raw::permute(t, order));
}

Tensor load_npy(const std::string& path) { return parse_npy(read_file(path), path); }

void save_npy(const std::string& path, const Tensor& t) {
  const Tensor values = raw::contiguous(t);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                   code(t.dtype()), t.shape().str());
  const std::size_t start = kMagic.size() + 4;
  const std::size_t padded =
      (start + header.size() + 1 + kDataAlignment - 1) / kDataAlignment * kDataAlignment - start;
  header.resize(padded - 1, ' ');
  header += '\n';
  const char preamble[] = {1, 0, static_cast<char>(padded & 0xff), static_cast<char>(padded >> 8)};
  AtomicFile file(path);
  file.write(kMagic);
  file.write(preamble, sizeof preamble);
  file.write(header);
  file.write(values.raw_data(),
             static_cast<std::size_t>(values.numel() * item_size(values.dtype())));
  file.commit();
}

namespace {

// Offsets are those of the records in PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
constexpr std::uint64_t kEndRecord = 0x06054b50;
constexpr std::uint64_t kCentralRecord = 0x02014b50;
constexpr std::uint64_t kLocalRecord = 0x04034b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kLongestComment = 0xffff;
constexpr std::uint64_t kInZip64 = 0xffffffff;

/// Reads fields of a zip file, and refuses to look past its end.
class ZipReader {
 public:
  ZipReader(std::string_view bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  std::uint64_t field(std::uint64_t offset, std::size_t count) const {
    return little_endian(piece(offset, count), 0, count);
  }
  std::string_view piece(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset)
      fail<IoError>(where_, "is a truncated zip file");
    return bytes_.substr(offset, count);
  }
  void expect(std::uint64_t offset, std::uint64_t signature) const {
    if (field(offset, 4) != signature) fail<IoError>(where_, "is a truncated zip file");
  }
  std::uint64_t find_end() const {
    for (std::size_t back = kEndBytes; back <= bytes_.size() && back <= kEndBytes + kLongestComment;
         ++back)
      if (field(bytes_.size() - back, 4) == kEndRecord) return bytes_.size() - back;
    fail<IoError>(where_, "is not a zip file");
  }

 private:
  std::string_view bytes_;
  std::string_view where_;
};

}  // namespace

std::map<std::string, Tensor> load_npz(const std::string& path) {
  const std::string bytes = read_file(path);
  const ZipReader zip(bytes, path);
  const std::uint64_t end = zip.find_end();
  const std::uint64_t count = zip.field(end + 10, 2);
  std::uint64_t record = zip.field(end + 16, 4);
  if (count == 0xffff || record == kInZip64)
    fail<IoError>(path, "is a zip file in the 64-bit format, which is not read; split the arrays");
  std::map<std::string, Tensor> arrays;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    zip.expect(record, kCentralRecord);
    const std::uint64_t name_length = zip.field(record + 28, 2);
    std::string name(zip.piece(record + kCentralBytes, name_length));
    const std::string where = fmt::format("{}/{}", path, name);
    const std::uint64_t size = zip.field(record + 20, 4);
    const std::uint64_t local = zip.field(record + 42, 4);
    if (zip.field(record + 8, 2) & 1) fail<IoError>(where, "is encrypted");
    if (zip.field(record + 10, 2) != 0)
      fail<IoError>(where, "is compressed; write it with numpy.savez, not savez_compressed");
    if (size == kInZip64 || local == kInZip64)
      fail<IoError>(where, "is above 4 GiB, which is not read; split the array");
    if ((total += size) > bytes.size())
      fail<IoError>(where, "shares its bytes with another array");  // a bomb
    zip.expect(local, kLocalRecord);
    const std::uint64_t data =
        local + kLocalBytes + zip.field(local + 26, 2) + zip.field(local + 28, 2);
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    if (!arrays.emplace(name, parse_npy(zip.piece(data, size), where)).second)
      fail<IoError>(where, "appears twice in the file");
    record += kCentralBytes + name_length + zip.field(record + 30, 2) + zip.field(record + 32, 2);
  }
  return arrays;
}

}  // namespace weft
