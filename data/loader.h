// Batches made ahead of their use, on other threads, in the same order whatever the number of
// threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/parallel.h"

namespace weft::data {

struct PrefetchOptions {
  int threads =
      1;  ///< worker threads; 0 makes each batch when it is asked for, on the caller's thread
  int ahead =
      2;  ///< batches ready or in work beyond the one in use; the bound on memory (at most 256)
};

/// Hands out make(first), make(first + 1), ..., make(last - 1). `make` must depend on its argument
/// alone and be safe to call from several threads at once; ops it calls run on its worker's thread
/// only. An exception of make(k) is rethrown by the next() that would have returned batch k, and
/// ends the sequence. Destruction waits for the batches in work, not for the rest. One consumer.
template <class Batch>
class Prefetcher {
 public:
  using Make = std::function<Batch(std::int64_t)>;

  Prefetcher(Make make, std::int64_t first, std::int64_t last, PrefetchOptions options = {})
      : make_(std::move(make)), last_(last), claimed_(first), taken_(first) {
    const int ahead = std::clamp(options.ahead, 1, 256);
    slots_.resize(static_cast<std::size_t>(ahead));
    workers_.reserve(static_cast<std::size_t>(ahead));
    for (int i = 0; i < options.threads && i < ahead && first + i < last; ++i) {
      try {
        workers_.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        break;  // no more threads to be had: those that started do the work, and if none did, the
                // caller does
      }
    }
  }

  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next batch, or nothing after the last.
  std::optional<Batch> next() {
    if (taken_ >= last_) return std::nullopt;
    if (workers_.empty()) {
      const auto k = taken_;
      taken_ = last_;  // stays so if make throws
      auto batch = make_(k);
      taken_ = k + 1;
      return batch;
    }
    std::optional<Batch> batch;
    {
      std::unique_lock lock(mutex_);
      Slot& slot = slot_of(taken_);
      changed_.wait(lock, [&] { return slot.ready; });
      if (slot.error) {
        stopping_ = true;
        taken_ = last_;
        const auto error = std::exchange(slot.error, nullptr);
        lock.unlock();
        changed_.notify_all();
        std::rethrow_exception(error);
      }
      batch = std::exchange(slot.batch, std::nullopt);
      slot.ready = false;
      ++taken_;
    }
    changed_.notify_all();
    return batch;
  }

 private:
  struct Slot {
    std::optional<Batch> batch;
    std::exception_ptr error;
    bool ready = false;
  };

  Slot& slot_of(std::int64_t k) { return slots_[static_cast<std::size_t>(k) % slots_.size()]; }

  void work() {
    set_num_threads_here(1);
    while (true) {
      std::int64_t k = 0;
      {
        std::unique_lock lock(mutex_);
        const auto room = static_cast<std::int64_t>(slots_.size());
        changed_.wait(lock,
                      [&] { return stopping_ || claimed_ >= last_ || claimed_ < taken_ + room; });
        if (stopping_ || claimed_ >= last_) return;
        k = claimed_++;
      }
      std::optional<Batch> batch;
      std::exception_ptr error;
      try {
        batch.emplace(make_(k));
      } catch (...) {
        error = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        Slot& slot = slot_of(k);
        slot.batch = std::move(batch);
        slot.error = std::move(error);  // the consumer alone frees it
        slot.ready = true;
      }
      changed_.notify_all();
    }
  }

  Make make_;
  std::int64_t last_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t claimed_;  ///< the next batch that no worker has begun
  std::int64_t taken_;    ///< the next batch of the consumer
  bool stopping_ = false;
  std::vector<Slot>
      slots_;  ///< batch k waits in slot k modulo their number: claimed_ - taken_ never exceeds it
  std::vector<std::thread> workers_;
};

/// Batches first .. last - 1 as a range: `for (auto [inputs, targets] : batches)`. Each begin()
/// starts anew.
template <class Batch>
class BatchRange {
 public:
  using Make = typename Prefetcher<Batch>::Make;

  BatchRange(Make make, std::int64_t first, std::int64_t last, PrefetchOptions prefetch = {})
      : make_(std::move(make)),
        first_(first),
        last_(last < first ? first : last),
        prefetch_(prefetch) {}

  /// Number of batches.
  std::int64_t size() const { return last_ - first_; }
  /// Batch i of the range, made here and now. Same bits as the one that iteration gives.
  Batch operator[](std::int64_t i) const { return make_(first_ + i); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::shared_ptr<Prefetcher<Batch>> source) : source_(std::move(source)) {
      ++*this;
    }
    const Batch& operator*() const { return *batch_; }
    const Batch* operator->() const { return &*batch_; }
    Iterator& operator++() {
      batch_.reset();  // gives its memory back before the next one is waited for
      batch_ = source_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !batch_.has_value(); }

   private:
    std::shared_ptr<Prefetcher<Batch>> source_;
    std::optional<Batch> batch_;
  };

  Iterator begin() const {
    return Iterator(std::make_shared<Prefetcher<Batch>>(make_, first_, last_, prefetch_));
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  Make make_;
  std::int64_t first_;
  std::int64_t last_;
  PrefetchOptions prefetch_;
};

}  // namespace weft::data
