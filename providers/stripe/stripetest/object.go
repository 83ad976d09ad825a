package stripetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// object is a resource of the API as its JSON. Names that begin with an underscore are the server's own.
type object map[string]any

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) number(name string) int64 {
	n, _ := o[name].(int64)
	return n
}

func (o object) id() string { return o.text("id") }

func (o object) key() string {
	m, _ := o["metadata"].(map[string]string)
	return m["kosh_key"]
}

// put makes an object.
func (s *Server) put(kind, prefix string, o object) object {
	s.serial++
	o["id"] = fmt.Sprintf("%s_%08d", prefix, s.serial)
	o["object"], o["created"], o["livemode"] = kind, s.now.Unix(), false
	s.objects[o.id()] = o
	s.lists[kind] = append(s.lists[kind], o.id())
	return o
}

// render makes what is sent: without private names, with the paths expanded.
func (s *Server) render(o object, expand []string, more ...string) object {
	rest := map[string][]string{}
	for _, path := range slices.Concat(expand, more) {
		head, tail, _ := strings.Cut(path, ".")
		if _, ok := rest[head]; !ok {
			rest[head] = []string{}
		}
		if tail != "" {
			rest[head] = append(rest[head], tail)
		}
	}
	out := make(object, len(o))
	for name, value := range o {
		if strings.HasPrefix(name, "_") {
			continue
		}
		tails, wanted := rest[name]
		switch v := value.(type) {
		case string:
			if target, ok := s.objects[v]; wanted && ok && name != "id" {
				out[name] = s.render(target, tails)
				continue
			}
		case []string: // a list inside an object
			data := make([]object, 0, len(v))
			for _, id := range slices.Backward(v) {
				data = append(data, s.render(s.objects[id], within(tails)))
			}
			if len(data) > 10 {
				data = data[:10]
			}
			if name == "refunds" && !wanted {
				continue // only when asked for
			}
			out[name] = object{"object": "list", "data": data, "has_more": len(v) > 10, "url": "/v1/" + name}
			continue
		case []object:
			list := make([]object, len(v))
			for i, x := range v {
				list[i] = s.render(x, nil)
			}
			out[name] = list
			continue
		}
		out[name] = value
	}
	return out
}

// within strips the "data." of paths into a list.
func within(paths []string) (inner []string) {
	for _, p := range paths {
		if tail, ok := strings.CutPrefix(p, "data."); ok {
			inner = append(inner, tail)
		}
	}
	return inner
}

// collections are the lists of the API, with the prefix of their ids.
var collections = map[string]string{
	"/v1/setup_intents": "setup_intent", "/v1/checkout/sessions": "checkout.session", "/v1/payment_intents": "payment_intent",
	"/v1/charges": "charge", "/v1/refunds": "refund", "/v1/disputes": "dispute", "/v1/transfers": "transfer", "/v1/payouts": "payout",
	"/v1/balance_transactions": "balance_transaction", "/v1/events": "event", "/v1/customers": "customer", "/v1/accounts": "account",
}

// read serves a request that only reads.
func (s *Server) read(path string, query url.Values) (int, []byte) {
	s.enter()
	defer s.mu.Unlock()
	if s.lookups > 0 {
		s.lookups--
		return http.StatusInternalServerError, []byte(`{"error":{"type":"api_error","message":"An unknown error occurred"}}`)
	}
	expand := append(query["expand[]"], expands(query)...)
	if path == "/v1/balance" {
		return http.StatusOK, encode(s.books.render())
	}
	if path == "/v1/account" {
		return http.StatusOK, encode(s.render(platform(), expand))
	}
	if kind, ok := collections[path]; ok {
		status, list := s.list(path, kind, query, expand)
		return status, encode(list)
	}
	collection, id := path[:max(strings.LastIndex(path, "/"), 0)], path[strings.LastIndex(path, "/")+1:]
	kind, ok := collections[collection]
	o, found := s.objects[id]
	if kind == "account" {
		o, found = account(id)
	}
	if !ok || !found || o.text("object") != kind {
		p := missing(id)
		return p.status, s.problemBody(p)
	}
	return http.StatusOK, encode(s.render(o, expand))
}

func (s *Server) list(path, kind string, query url.Values, expand []string) (int, object) {
	var all []object // newest first
	for _, id := range slices.Backward(s.lists[kind]) {
		if o := s.objects[id]; matches(o, query) {
			all = append(all, o)
		}
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 10
	}
	from, to := 0, min(limit, len(all))
	after, before := query.Get("starting_after"), query.Get("ending_before")
	if at := after + before; at != "" {
		i := slices.IndexFunc(all, func(o object) bool { return o.id() == at })
		if i < 0 {
			return http.StatusBadRequest, object{"error": object{
				"type": "invalid_request_error", "code": "resource_missing", "message": "No such object: '" + at + "'",
			}}
		}
		if after != "" {
			from, to = i+1, min(i+1+limit, len(all))
		} else {
			from, to = max(i-limit, 0), i
		}
	}
	more := to < len(all)
	if before != "" {
		more = from > 0
	}
	data := make([]object, 0, to-from)
	for _, o := range all[from:to] {
		data = append(data, s.render(o, within(expand)))
	}
	return http.StatusOK, object{"object": "list", "url": path, "has_more": more, "data": data}
}

// matches applies a list's filters.
func matches(o object, query url.Values) bool {
	for _, name := range []string{"customer", "payment_intent", "charge", "transfer_group", "destination", "type"} {
		if want := query.Get(name); want != "" && o.text(name) != want {
			return false
		}
	}
	if want := query.Get("payout"); want != "" && o.text("_payout") != want {
		return false
	}
	created := o.number("created")
	for name, holds := range map[string]func(bound int64) bool{
		"created[gte]": func(b int64) bool { return created >= b }, "created[gt]": func(b int64) bool { return created > b },
		"created[lte]": func(b int64) bool { return created <= b }, "created[lt]": func(b int64) bool { return created < b },
	} {
		if bound, err := strconv.ParseInt(query.Get(name), 10, 64); err == nil && !holds(bound) {
			return false
		}
	}
	return true
}

// metadata reads metadata[name]=value.
func metadata(form url.Values) map[string]string {
	m := map[string]string{}
	for k, v := range form {
		if name, ok := strings.CutPrefix(k, "metadata["); ok {
			m[strings.TrimSuffix(name, "]")] = v[0]
		}
	}
	return m
}

// first reads the first of a list of values, numbered or not.
func first(form url.Values, name string) string {
	if v := form.Get(name + "[0]"); v != "" {
		return v
	}
	return form.Get(name + "[]")
}

// quantity reads an amount and a currency.
func quantity(form url.Values) (units int64, code string, p *problem) {
	units, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	if err != nil || units <= 0 || units > 999_999_999_999 {
		return 0, "", invalid("amount", "Invalid integer")
	}
	if code = form.Get("currency"); len(code) != 3 || strings.ToLower(code) != code {
		return 0, "", invalid("currency", "Invalid currency")
	}
	return units, code, nil
}
