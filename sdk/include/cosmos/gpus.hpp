// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_GPUS_HPP_
#define COSMOS_GPUS_HPP_

#include <cosmos/parse_json.hpp>
#include <cosmos/services.hpp>
#include <cosmos/text.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cosmos::sdk {

// The GPUs of the targets of a hook's run (cosmos.gpu/1, where the shapes stand). A value; every function may be called
// from any thread, until the hook's Stop has returned. Since 1.3.
//
// Errors: std::runtime_error with the host's sentence when a call could not be served, also by a host without the
// service.
class Gpus {
 public:
  // `run` is the host's, null when it gave none.
  Gpus(const Services& services, cosmos_run* run) : service_(run == nullptr ? nullptr : services.gpu), run_(run) {}

  // What the GPUs of a target do, not more than `longest_age` ago; with `details` it is always asked. Blocks.
  Json Read(std::string_view target, std::chrono::milliseconds longest_age, bool details) const {
    Demand();
    TextSink reading;
    TextSink error;
    if (service_->read(run_, ToC(target), longest_age.count(), details ? 1 : 0, reading.sink(), error.sink()) !=
        COSMOS_OK) {
      throw std::runtime_error(error.text());
    }
    return ParseJson(reading.text(), kOwnJson);
  }

  // Keeps `gpus`, an array of objects of a reading, as a sample of what the GPUs of `job` did just now.
  void Keep(std::string_view job, std::string_view target, const Json& gpus) const {
    Demand();
    TextSink error;
    const std::string text = Dump(gpus);
    if (service_->keep(run_, ToC(job), ToC(target), ToC(text), error.sink()) != COSMOS_OK) {
      throw std::runtime_error(error.text());
    }
  }

 private:
  void Demand() const {
    if (service_ == nullptr) throw std::runtime_error("the host tells nothing of GPUs");
  }

  const cosmos_gpu_1* service_;
  cosmos_run* run_;
};

}  // namespace cosmos::sdk

#endif  // COSMOS_GPUS_HPP_
