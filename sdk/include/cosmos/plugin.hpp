// SPDX-License-Identifier: BSL-1.0
//
// The C++17 layer over cosmos/plugin.h, for authors of stage and hook plugins. Header-only; needs the standard library
// and nlohmann/json. A plugin is a class and one line:
//
//   class Greet : public cosmos::sdk::Stage {
//    public:
//     cosmos::sdk::Description Describe() const override { … }
//     cosmos::sdk::Json Run(cosmos::sdk::Task& task, const cosmos::sdk::Json& parameters) override { … }
//   };
//   COSMOS_PLUGIN(Greet);
//
// Derive from JobStage when the work is a command on the stage's target, from BatchStage when one such command can do
// the work of several instances, from Stage when it is done right here, from Hook to follow what happens in a run.
// sdk/template/ is a starting point, sdk/cmake/CosmosPlugin.cmake builds it.
#ifndef COSMOS_PLUGIN_HPP_
#define COSMOS_PLUGIN_HPP_

#include <cosmos/batch.hpp>          // IWYU pragma: export
#include <cosmos/description.hpp>    // IWYU pragma: export
#include <cosmos/entry.hpp>          // IWYU pragma: export
#include <cosmos/failure.hpp>        // IWYU pragma: export
#include <cosmos/gpus.hpp>           // IWYU pragma: export
#include <cosmos/hook.hpp>           // IWYU pragma: export
#include <cosmos/job_log.hpp>        // IWYU pragma: export
#include <cosmos/job_spec.hpp>       // IWYU pragma: export
#include <cosmos/line_splitter.hpp>  // IWYU pragma: export
#include <cosmos/log_level.hpp>      // IWYU pragma: export
#include <cosmos/media_input.hpp>    // IWYU pragma: export
#include <cosmos/parse_json.hpp>     // IWYU pragma: export
#include <cosmos/shell_quote.hpp>    // IWYU pragma: export
#include <cosmos/stage.hpp>          // IWYU pragma: export
#include <cosmos/task.hpp>           // IWYU pragma: export

#endif  // COSMOS_PLUGIN_HPP_
