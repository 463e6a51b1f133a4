// SPDX-License-Identifier: BSL-1.0
#include <cosmos/plugin.h>
#include <cosmos/plugin.hpp>

int main() { return COSMOS_OK; }
