#include "shell/page_certificates.h"

#include "shell/page_cell.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

size_t page_certificates_count(const struct agent *agent)
{
    return core_certificate_count(agent_core(agent));
}

static void append_state_cell(struct text *out, enum certificate_state state)
{
    static const struct {
        enum page_tone tone;
        const char *word;
    } LOOKS[CERTIFICATE_STATES] = {
        [CERTIFICATE_UNSEEN] = {TONE_SOFT, "unseen"},
        [CERTIFICATE_GOOD] = {TONE_GOOD, "good"},
        [CERTIFICATE_EXPIRING] = {TONE_WARN, "expires soon"},
        [CERTIFICATE_REFUSED] = {TONE_BAD, "not valid"},
    };
    page_begin_cell(out, "State", "");
    page_append_state(out, LOOKS[state].tone, LOOKS[state].word);
    text_append(out, "</td>");
}

void page_certificates_row(struct text *out, const struct agent *agent, size_t index,
                           struct moment now)
{
    const struct core *core = agent_core(agent);
    struct certificate_endpoint endpoint = core_certificate_endpoint(core, index);
    const struct certificate_sight *sight = core_certificate(core, &endpoint);
    if (sight == NULL) {
        return;
    }
    text_format(out, "<tr><th scope=\"row\" class=\"words\">%s ",
                certificate_place_name(endpoint.place));
    page_append_escaped(out, core_certificate_name(core, &endpoint));
    text_append(out, "</th>");
    append_state_cell(out, core_certificate_state(core, &endpoint, now));
    page_time_cell(out, "Expires", sight->certificate.expires, now.wall);
    page_cell(out, "Issued to", "words", sight->certificate.subject);
    page_cell(out, "Issued by", "words", sight->certificate.issuer);
    page_cell(out, "Cause", "words", sight->reason);
    text_append(out, "</tr>\n");
}
