// SPDX-License-Identifier: BSL-1.0
//
// From the C ABI to the C++ classes: the trampolines behind COSMOS_PLUGIN. No exception leaves any of them.
#ifndef COSMOS_ENTRY_HPP_
#define COSMOS_ENTRY_HPP_

#include <cosmos/batch.hpp>
#include <cosmos/hook.hpp>
#include <cosmos/stage.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <type_traits>

namespace cosmos::sdk {

// Does `body` and turns what it throws into a status, with the reason in `sink`.
template <class Body>
cosmos_status Guard(cosmos_sink sink, Body body) noexcept {
  try {
    try {
      body();
      return COSMOS_OK;
    } catch (const StageFailure& failure) {
      Write(sink, Dump(failure.failure()));
      return COSMOS_FAILED;
    } catch (const Cancelled&) {
      return COSMOS_CANCELLED;
    } catch (const std::exception& e) {
      Write(sink, e.what());
      return COSMOS_ERROR;
    }
  } catch (...) {  // not a std::exception, or no memory left for its text
    Write(sink, "the plugin threw an exception of unknown type");
    return COSMOS_ERROR;
  }
}

// The entry of a class derived from Stage or Hook that can be constructed without arguments.
template <class Plugin>
class Entry {
 public:
  static constexpr bool kIsStage = std::is_base_of_v<Stage, Plugin>;
  static_assert(kIsStage || std::is_base_of_v<Hook, Plugin>, "derive from cosmos::sdk::Stage or cosmos::sdk::Hook");

  static constexpr cosmos_plugin_entry_t Make() noexcept {
    cosmos_plugin_entry_t entry{};
    entry.struct_size = sizeof(entry);
    entry.sdk_major = COSMOS_SDK_MAJOR;
    entry.sdk_minor = COSMOS_SDK_MINOR;
    entry.describe = &Describe;
    entry.init = &Init;
    entry.create = &Create;
    entry.destroy = &Destroy;
    if constexpr (kIsStage) {
      entry.run = &Run;
      entry.preview = &Preview;
      entry.cancel = &Cancel;
      if constexpr (std::is_base_of_v<BatchStage, Plugin>) {
        entry.plan_batch = &PlanBatch;
        entry.on_batch_output = &OnBatchOutput;
      }
    } else {
      entry.start = &Start;
      entry.on_event = &OnEvent;
      entry.stop = &Stop;
      entry.attach = &Attach;
    }
    return entry;
  }

 private:
  // The one piece of state that the ABI leaves no other place for: `create` and `run` do not carry the host.
  static inline Services services_;

  static Plugin& Get(void* instance) noexcept { return *static_cast<Plugin*>(instance); }

  static Description FullDescription() {
    Description description = Plugin().Describe();
    const auto add = [](std::vector<std::string>& list, const char* id) {
      if (std::find(list.begin(), list.end(), id) == list.end()) list.emplace_back(id);
    };
    if constexpr (std::is_base_of_v<JobStage, Plugin>) add(description.required_services, "cosmos.job/1");
    const auto add_optional = [&](const char* id) {
      const auto& required = description.required_services;
      if (std::find(required.begin(), required.end(), id) == required.end()) add(description.optional_services, id);
    };
    if constexpr (kIsStage) {
      add_optional("cosmos.log/1");
      add_optional("cosmos.progress/1");
    } else {
      add_optional("cosmos.run/1");
    }
    return description;
  }

  static cosmos_status Describe(cosmos_sink description, cosmos_sink error) noexcept {
    return Guard(error, [&] { Write(description, Dump(FullDescription().ToJson(kIsStage ? "stage" : "hook"))); });
  }

  static cosmos_status Init(const cosmos_host* host, cosmos_sink error) noexcept {
    return Guard(error, [&] { services_ = Services::From(*host, FullDescription().required_services); });
  }

  static void* Create(cosmos_sink error) noexcept {
    void* instance = nullptr;
    Guard(error, [&] { instance = new Plugin(); });
    return instance;
  }

  static void Destroy(void* instance) noexcept {
    Guard({}, [&] { delete static_cast<Plugin*>(instance); });
  }

  static cosmos_status Run(void* instance, cosmos_task* task, cosmos_str context, cosmos_str parameters,
                           cosmos_sink result) noexcept {
    return Guard(result, [&] {
      Task wrapped(services_, task, FromC(context));
      Write(result, Dump(Get(instance).Run(wrapped, ParseJson(FromC(parameters), kOwnJson))));
    });
  }

  static cosmos_status Preview(void* instance, cosmos_task* task, cosmos_str context, cosmos_str parameters,
                               cosmos_sink result) noexcept {
    return Guard(result, [&] {
      Task wrapped(services_, task, FromC(context));
      Write(result, Dump(Get(instance).Preview(wrapped, ParseJson(FromC(parameters), kOwnJson))));
    });
  }

  static cosmos_status PlanBatch(void* instance, cosmos_task* task, cosmos_str contexts, cosmos_str parameters,
                                 cosmos_sink result) noexcept {
    return Guard(result, [&] {
      const Json all_contexts = ParseJson(FromC(contexts), kOwnJson);
      const std::string first = Dump(all_contexts.at(0));
      Task wrapped(services_, task, first);
      const Json all_parameters = ParseJson(FromC(parameters), kOwnJson);
      std::vector<Context> parsed;
      for (const Json& context : all_contexts) parsed.push_back(Context::Parse(Dump(context)));
      std::vector<BatchMember> members;
      for (std::size_t i = 0; i < parsed.size(); ++i) members.push_back({parsed[i], all_parameters.at(i)});
      Write(result, Dump(Get(instance).BuildBatch(wrapped, members).ToJson()));
    });
  }

  static void OnBatchOutput(void* instance, cosmos_task* task, cosmos_str bytes) noexcept {
    Guard({}, [&] {
      Task wrapped(services_, task, "{}");
      Get(instance).OnBatchOutput(wrapped, FromC(bytes));
    });
  }

  static void Cancel(void* instance) noexcept {
    Guard({}, [&] { Get(instance).Cancel(); });
  }

  static cosmos_status Start(void* instance, cosmos_str context, cosmos_str parameters, cosmos_sink error) noexcept {
    return Guard(error,
                 [&] { Get(instance).Start(Context::Parse(FromC(context)), ParseJson(FromC(parameters), kOwnJson)); });
  }

  static cosmos_status OnEvent(void* instance, cosmos_str event, cosmos_sink error) noexcept {
    return Guard(error, [&] { Get(instance).OnEvent(ParseJson(FromC(event), kOwnJson)); });
  }

  static cosmos_status Stop(void* instance, cosmos_sink error) noexcept {
    return Guard(error, [&] { Get(instance).Stop(); });
  }

  static cosmos_status Attach(void* instance, cosmos_run* run, cosmos_sink error) noexcept {
    return Guard(error, [&] { Get(instance).Attach(services_, run); });
  }
};

}  // namespace cosmos::sdk

// Defines the plugin's one exported symbol, which plugin.h declares; written once, outside of any namespace.
#define COSMOS_PLUGIN(Plugin) const cosmos_plugin_entry_t cosmos_plugin_entry = cosmos::sdk::Entry<Plugin>::Make()

#endif  // COSMOS_ENTRY_HPP_
