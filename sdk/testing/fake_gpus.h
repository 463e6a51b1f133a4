// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SDK_TESTING_FAKE_GPUS_H_
#define COSMOS_SDK_TESTING_FAKE_GPUS_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cosmos::sdk::testing {

// The GPUs of a run's targets, as cosmos.gpu/1 gives them, and what a hook keeps of them. Thread-safe.
class FakeGpus {
 public:
  struct Sample {
    std::string job;
    std::string target;
    nlohmann::json gpus;
  };

  // What a target tells from now on: so many GPUs, each with its number as its utilisation in percent.
  void SetGpus(const std::string& target, int count);
  // An answer that the test makes; one that is no object is an error with that text.
  void SetReading(const std::string& target, const nlohmann::json& reading);

  // Waits until so many samples were kept in all; false when it takes more than a minute.
  bool AwaitSamples(std::size_t count) const;
  std::vector<Sample> samples() const;
  std::size_t questions() const;
  std::size_t questions_for_details() const;

  // For the service: a reading, or nothing and why in `error`.
  std::string Read(const std::string& target, bool details, std::string* error);
  void Keep(Sample sample);

 private:
  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable kept_;
  std::map<std::string, nlohmann::json> readings_;
  std::vector<Sample> samples_;
  std::size_t questions_ = 0;
  std::size_t details_ = 0;
};

}  // namespace cosmos::sdk::testing

#endif  // COSMOS_SDK_TESTING_FAKE_GPUS_H_
