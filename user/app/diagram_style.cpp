// SPDX-License-Identifier: Apache-2.0
#include "app/diagram_style.hpp"

#include "sinks/text.hpp"

#include <clocale>
#include <langinfo.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace stalesock {

namespace {

bool locale_is_utf8() {
	const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
	if (locale == nullptr) { // LANG names a locale that is not installed
		return false;
	}
	const bool utf8 = std::string_view{nl_langinfo_l(CODESET, locale)} == "UTF-8";
	freelocale(locale);
	return utf8;
}

std::size_t terminal_width() {
	winsize size{};
	const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
	return known ? size.ws_col : widest_diagram;
}

} // namespace

DiagramStyle diagram_style(const DiagramChoice& choice) {
	return {.width = choice.width != 0 ? choice.width : terminal_width(),
	        .ascii = choice.ascii || !locale_is_utf8(),
	        .colour = choice.colour && wants_colour(STDOUT_FILENO)};
}

} // namespace stalesock
