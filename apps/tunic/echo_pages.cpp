#include "apps/tunic/echo_pages.hpp"

namespace tunic::app {
namespace {

std::string page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><title>" +
         title +
         "</title>\n<style>:root{color-scheme:light dark}body{font:17px/1.6 system-ui,sans-serif;margin:2em auto;"
         "max-width:44em;padding:0 1em}code{font-size:.95em}label{display:block;margin:.6em 0}li.come{color:#2a7}"
         "td{padding:.15em 1em .15em 0;vertical-align:top}</style></head>\n<body><h1>" +
         title + "</h1>\n" + body + "</body></html>\n";
}

}  // namespace

std::string help_page() {
  return page("A site to try HTTP clients on", R"(<table>
<tr><td><a href="/"><code>/</code></a></td><td>OK</td></tr>
<tr><td><code>POST</code> anywhere</td><td>the content comes back</td></tr>
<tr><td><a href="/echo"><code>/echo</code></a></td><td>the fields of the request, a line each</td></tr>
<tr><td><a href="/cookie"><code>/cookie</code></a></td><td>its cookies; <a href="/cookie/set?a=1"><code>/cookie/set?a=1</code></a> sets one</td></tr>
<tr><td><a href="/wait?s=3"><code>/wait?s=3</code></a></td><td>answers after so many seconds</td></tr>
<tr><td><a href="/stream"><code>/stream?n=10&amp;s=0.1</code></a></td><td>so many lines, so many seconds apart</td></tr>
<tr><td><a href="/sse"><code>/sse?n=5&amp;s=1</code></a></td><td>server-sent events</td></tr>
<tr><td><a href="/bytes/1000"><code>/bytes/1000</code></a></td><td>so many octets</td></tr>
<tr><td><a href="/status/404"><code>/status/404</code></a></td><td>that status</td></tr>
<tr><td><a href="/redirect/3"><code>/redirect/3</code></a></td><td>so many redirects</td></tr>
<tr><td><a href="/scripts"><code>/scripts</code></a></td><td>a page with ten scripts</td></tr>
<tr><td><a href="/form"><code>/form</code></a>, <a href="/upload"><code>/upload</code></a></td><td>a form, and one for files</td></tr>
<tr><td><code>POST /json</code></td><td>the same value, laid out anew</td></tr>
</table>
)");
}

std::string scripts_page() {
  std::string body = "<p id=\"count\">0 of 10 scripts have come.</p>\n<ol>\n", scripts;
  for (int i = 1; i <= 10; ++i) {
    const auto n = std::to_string(i);
    body.append("<li id=\"s").append(n).append("\">script ").append(n).append("</li>\n");
    scripts.append("<script src=\"/script/").append(n).append("\"></script>\n");
  }
  return page("A page with ten scripts", body + "</ol>\n" + scripts);
}

std::string script_text(const std::string& n) {
  return "document.getElementById('s" + n + "').className = 'come';\n" +
         "document.getElementById('count').textContent =\n"
         "    document.querySelectorAll('li.come').length + ' of 10 scripts have come.';\n";
}

std::string form_page() {
  return page("A form", R"(<form method="post" action="/form">
<label>User name <input name="username" value="user123"></label>
<label>Password <input name="password" type="password" value="pass456"></label>
<button>Send</button></form>
)");
}

std::string upload_page() {
  return page("Upload", R"(<form method="post" action="/upload" enctype="multipart/form-data">
<label>A note <input name="note"></label>
<label>Files <input name="files" type="file" multiple></label>
<button>Send</button></form>
)");
}

}  // namespace tunic::app
