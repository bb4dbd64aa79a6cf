// SPDX-License-Identifier: Apache-2.0
#include "sinks/message_id.hpp"

#include <algorithm>
#include <array>

namespace stalesock {

namespace {

constexpr std::array<MessageId, 25> table{{
	{"stale_reuse", "04af33e545e34545953370cb98487d6d"},
	{"reuse_race", "18f7eec3f15d4064af77443395cd5319"},
	{"unanswered_close", "c66284cf41dd41ac8a300d96f8849d83"},
	{"dirty_close", "d2227ac6ccd747439a49ad7f66be4e58"},
	{"dirty_idle", "4c5efd6b5c0045e7b8cf600d57fbe51a"},
	{"close_wait_leak", "e53e89e209034d4bb93e6bc870b1315d"},
	{"silent_drop", "4a4160946ce64b3ab0e43841d6d0df3a"},
	{"peer_unresponsive", "b0d7b27fe2db4ca5984640f83959de31"},
	{"abandoned_response", "dae4dd235e41418b991d23feb44e48fd"},
	{"early_response", "3ae60823d0064db7b5a04c0d44faa130"},
	{"half_close_response", "7c0c8c3c82e54b489f5bd5938ea6f288"},
	{"farewell_write", "69b680b43a88465d88e86c0f0decabad"},
	{"idle_close", "2f8e17cb133a4c0599d5d9ee744ce171"},
	{"limit_close", "be6211ddbd7e41c791d5ad754a1f0e98"},
	{"early_idle_close", "8851914b29cb4ee3964dc4dc8031f026"},
	{"pool_mismatch", "b1d97cb3aace4cc68b0aa34a970ec1d0"},
	{"keepalive_ineffective", "77870e304b844af291b688996e9b198b"},
	{"keepalive_late", "923c343b1958487aae4b8d24c4d7900b"},
	{"collapsed", "bd64aa03d1ea4b14863c41276dcd869d"},
	{"start", "951b34f3b82d44438c2ebb369f0c61de"},
	{"inventory", "eb040e1e519c4d8b920b64532e00be44"},
	{"lost", "49c488951a8d4188a7ad12b0df96c820"},
	{"resume", "dfdd4317df94450098e05062d96cd889"},
	{"reload", "0765b94812e54e9898c9b9366ccb8ce6"},
	{"output", "d0bef35d0de24c1fb7f5f8921fe067af"},
}};

} // namespace

std::span<const MessageId> message_ids() {
	return table;
}

std::string_view message_id(std::string_view name) {
	const auto* const found = std::find_if(table.begin(), table.end(),
	                                       [&](const MessageId& row) { return row.name == name; });
	return found == table.end() ? std::string_view{} : found->id;
}

} // namespace stalesock
