/* SPDX-License-Identifier: BSL-1.0 */
#include <cosmos/plugin.h>

int main(void) { return COSMOS_OK; }
