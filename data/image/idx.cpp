#include "data/image/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMaxIdxBytes = std::int64_t{1} << 33;
constexpr std::int64_t kMaxDeflateRatio = 1032;  // 258 bytes from two bits, RFC 1951
constexpr int kUnsignedByte = 0x08;

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

/// Reads a file, gzipped or not, and turns every way of ending early into an IoError.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_)
      fail<IoError>(path_, "cannot be opened: {}",
                    errno != 0 ? std::strerror(errno) : "out of memory");
    gzbuffer(file_.get(), 1U << 17);
  }

  bool is_packed() const { return gzdirect(file_.get()) == 0; }

  /// Bytes read: `count`, or fewer at the end of the file.
  std::int64_t read(std::byte* to, std::int64_t count) {
    std::int64_t done = 0;
    while (done < count) {
      const auto part = static_cast<unsigned>(std::min<std::int64_t>(count - done, 1 << 24));
      const int got = gzread(file_.get(), to + done, part);
      // A gzip file that stops early comes as a short read, with Z_BUF_ERROR.
      int code = Z_OK;
      const char* text = gzerror(file_.get(), &code);
      if (code == Z_BUF_ERROR)
        fail<IoError>(path_,
                      "is a truncated gzip file: it ends after {} decompressed bytes; copy or "
                      "download it again",
                      total_ + done + std::max(got, 0));
      if (got < 0 || code != Z_OK)
        fail<IoError>(path_,
                      "is damaged after {} decompressed bytes: {}; copy or download it again",
                      total_ + done, text);
      if (got == 0) break;
      done += got;
    }
    total_ += done;
    return done;
  }

 private:
  const std::string& path_;
  std::unique_ptr<gzFile_s, GzClose> file_;
  std::int64_t total_ = 0;
};

std::int64_t file_bytes(const std::string& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail<IoError>(path, "no such file");
  if (status.type() == fs::file_type::directory) fail<IoError>(path, "is a directory, not a file");
  if (error || status.type() != fs::file_type::regular)
    fail<IoError>(path, "is not a regular file");
  const auto size = fs::file_size(path, error);
  if (error) fail<IoError>(path, "cannot be read: {}", error.message());
  if (size == 0) fail<IoError>(path, "is empty: expected an IDX file");
  return static_cast<std::int64_t>(size);
}

std::uint32_t big_endian(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

}  // namespace

Tensor read_idx(const std::string& path, int rank) {
  const Phase phase("reading {}", path);
  const auto stored = file_bytes(path);
  Reader reader(path);
  std::array<std::byte, 4> magic{};
  const auto got = reader.read(magic.data(), 4);
  if (got < 4)
    fail<IoError>(path, "is truncated: an IDX header has at least 8 bytes, there are {}", got);
  const auto type = std::to_integer<int>(magic[2]);
  const auto dims = std::to_integer<int>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0})
    fail<IoError>(path,
                  "is not an IDX file: it begins with the bytes {:08x}, an IDX file of unsigned "
                  "bytes with 000008",
                  big_endian(magic.data()));
  if (type != kUnsignedByte)
    fail<IoError>(path,
                  "holds IDX elements of type 0x{:02x}: only unsigned bytes (0x08) are read; scale "
                  "them to 0 to 255",
                  type);
  if (dims < 1 || dims > 4 || (rank != -1 && dims != rank)) {
    fail<IoError>(path, "is an IDX file of {} dimensions, expected {}", dims,
                  rank == -1 ? std::string("1 to 4") : std::to_string(rank));
  }
  std::array<std::byte, 16> sizes{};
  if (reader.read(sizes.data(), 4 * dims) < 4 * dims)
    fail<IoError>(path, "is truncated inside the IDX header");
  Shape shape;
  std::int64_t product = 1;  // of the sizes that are not 0
  bool empty = false;
  for (int d = 0; d < dims; ++d) {
    const auto size = static_cast<std::int64_t>(big_endian(sizes.data() + 4 * d));
    shape.push_back(size);
    empty = empty || size == 0;
    if (size != 0)
      product = product > kMaxIdxBytes / size ? kMaxIdxBytes + 1
                                              : product * size;  // stays above the bound once there
  }
  const auto claim = empty ? 0 : product;
  const auto header = 4 + 4 * static_cast<std::int64_t>(dims);
  const bool packed = reader.is_packed();
  const auto most = packed ? stored * kMaxDeflateRatio : stored - header;
  if (product > kMaxIdxBytes || claim > most) {
    fail<IoError>(path, "its header declares {}, more than {}{} bytes can hold", shape.str(),
                  packed ? "a gzip file of " : "the file's ", stored);
  }
  const Tensor tensor = Tensor::empty(shape, DType::u8);
  const auto read = claim == 0 ? 0 : reader.read(tensor.raw_data(), claim);
  if (read < claim)
    fail<IoError>(
        path,
        "is truncated: its header declares {} = {} bytes, there are {}; copy or download it again",
        shape.str(), claim, read);
  std::byte beyond{};
  if (reader.read(&beyond, 1) != 0)
    fail<IoError>(path, "continues beyond the {} = {} bytes its header declares", shape.str(),
                  claim);
  return tensor;
}

void write_idx(const std::string& path, const Tensor& tensor) {
  if (tensor.dtype() != DType::u8)
    fail<DTypeError>("write_idx", "expects u8, got {}", name(tensor.dtype()));
  if (tensor.rank() < 1) fail<ShapeError>("write_idx", "expects at least one dimension");
  const auto flat = raw::contiguous(tensor);
  std::string bytes = {0, 0, kUnsignedByte, static_cast<char>(tensor.rank())};
  for (const auto size : tensor.shape()) {
    for (const int shift : {24, 16, 8, 0})
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(size >> shift)));
  }
  if (flat.numel() > 0)
    bytes.append(reinterpret_cast<const char*>(flat.data<std::uint8_t>()),
                 static_cast<std::size_t>(flat.numel()));
  write_file(path, bytes);
}

}  // namespace weft::data
