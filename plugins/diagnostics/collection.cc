#include "diagnostics/collection.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

#include "diagnostics/redaction.h"

namespace cosmos::plugins {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// One that hangs holds up a part of the others only; a host serves so many commands beside its jobs'.
constexpr std::size_t kAtOnce = 4;

std::string Seconds(milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", static_cast<double>(time.count()) / 1000);
  return text;
}

void CollectInto(const Collector& collector, const Folder& folder, milliseconds limit, Item* item) {
  Found found;
  try {
    found = collector.collect(limit);
  } catch (const Skipped& skipped) {
    item->reason = AsText(skipped.what());
    return;
  } catch (const std::exception& error) {
    found.problem = AsText(error.what());
  } catch (...) {
    found.problem = "an exception of unknown type";
  }
  try {
    if (!found.text.empty()) {
      item->text = folder.Write(collector.file, found.text);
      item->file = collector.file;
    }
  } catch (const std::exception& error) {
    found.problem = AsText(error.what());
  }
  item->status = found.problem.empty() ? Item::Status::kCollected : Item::Status::kFailed;
  item->reason = found.problem;
}

}  // namespace

std::vector<Item> Collect(const std::vector<Collector>& collectors, const Folder& folder, const Limits& limits,
                          const std::atomic<bool>& cancelled) {
  const Clock::time_point end = Clock::now() + limits.all;
  std::vector<Item> items(collectors.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < collectors.size(); i = next++) {
      Item& item = items[i];
      item.name = collectors[i].name;
      item.target = collectors[i].target;
      const Clock::time_point begin = Clock::now();
      const auto left = std::chrono::duration_cast<milliseconds>(end - begin);
      if (cancelled) {
        item.reason = "the diagnosis was cancelled";
      } else if (left.count() <= 0) {
        item.reason = "the time for all, " + Seconds(limits.all) + ", was over";
      } else {
        CollectInto(collectors[i], folder, std::min(limits.each, left), &item);
      }
      item.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(kAtOnce, collectors.size()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return items;
}

}  // namespace cosmos::plugins
