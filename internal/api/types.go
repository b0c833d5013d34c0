package api

// The constraints stand in the tags; the validator and the OpenAPI document
// both read them, by package field. Lengths count characters; maxBytes counts
// the bytes of the value as JSON. A field that callers may leave out is a
// pointer, a list or a map, with omitzero: so what they send comes back as they
// sent it, if it is empty or zero too.

// ItemInput is what a caller sends to create or replace an item. A field that
// is added here is checked, kept, returned and described everywhere.
type ItemInput struct {
	Name        string         `json:"name"                  required:"true" minLength:"1" maxLength:"256"  description:"What the item is called."`
	Description *string        `json:"description,omitempty"                               maxLength:"4096" description:"More about the item."`
	Attributes  map[string]any `json:"attributes,omitzero"                                                  description:"A free JSON object."      maxBytes:"65536"`
}

// Item is an item as the API returns it.
type Item struct {
	ID string `json:"id"        required:"true" format:"uuid"      description:"Made by the server, in order of creation (UUIDv7)."`
	ItemInput
	Version   int64  `json:"version"   required:"true"                    description:"It grows by one with each replacement."             minimum:"1"`
	CreatedAt string `json:"createdAt" required:"true" format:"date-time"`
	UpdatedAt string `json:"updatedAt" required:"true" format:"date-time"`
}

// ListQuery are the query parameters of a list.
type ListQuery struct {
	Limit  int     `json:"limit"            minimum:"1" maximum:"100" default:"20" description:"How many items at most."`
	Cursor *string `json:"cursor,omitempty"                                        description:"nextCursor of the page before."`
}

// ItemList is a page of items. Without nextCursor it is the last one.
type ItemList struct {
	Items      []Item `json:"items"                required:"true"`
	NextCursor string `json:"nextCursor,omitempty"                 description:"Opaque; ask for the next page with it."`
}

// BatchGetRequest asks for several items.
type BatchGetRequest struct {
	IDs []string `json:"ids" required:"true" minItems:"1" maxItems:"100" items.format:"uuid" description:"Duplicates are folded."`
}

// BatchGetResponse holds the items in the order asked.
type BatchGetResponse struct {
	Items       []Item   `json:"items"                 required:"true"`
	Missing     []string `json:"missing"               required:"true" description:"Ids of items that do not exist."`
	Unprocessed []string `json:"unprocessed,omitempty"                 description:"Ids that could not be read in time; ask for them again."`
}

// BatchWriteRequest asks for several writes. They are independent of each
// other, and not conditional.
type BatchWriteRequest struct {
	Entries []BatchWriteEntry `json:"entries" required:"true" minItems:"1" maxItems:"100" description:"Creates and deletes, in any order."`
}

// BatchWriteEntry is one write.
type BatchWriteEntry struct {
	_      struct{}   `minProperties:"1" maxProperties:"1"`
	Create *ItemInput `                                    json:"create,omitempty" description:"Create this item."`
	Delete *ItemRef   `                                    json:"delete,omitempty" description:"Delete this item, if it exists."`
}

// ItemRef names an item.
type ItemRef struct {
	ID string `json:"id" required:"true" format:"uuid" description:"The item's id."`
}

// BatchWriteResponse holds a result for each entry, in their order.
type BatchWriteResponse struct {
	Results []BatchWriteResult `json:"results" required:"true"`
	Failed  int                `json:"failed"  required:"true" description:"How many results have a code."`
}

// BatchWriteResult is what became of one entry.
type BatchWriteResult struct {
	Status int    `json:"status"         required:"true" description:"201 created, 204 gone, 503 with code unavailable: not done, try again; 503 with code outcome_unknown: perhaps done, look at the item first."`
	ID     string `json:"id"             required:"true" description:"Of the item, also of one that was perhaps created."                                                                                          format:"uuid"`
	Code   Code   `json:"code,omitempty"`
}

// Health is the answer of the health route.
type Health struct {
	Status string `json:"status" required:"true" enum:"ok"`
}

// Problem is an error as RFC 9457 describes it.
type Problem struct {
	Type           string       `json:"type"                     required:"true" description:"urn:items-api:problem: and the code."`
	Title          string       `json:"title"                    required:"true"`
	Status         int          `json:"status"                   required:"true"`
	Detail         string       `json:"detail,omitempty"`
	Code           Code         `json:"code"                     required:"true" description:"Stable; decide by it."`
	RequestID      string       `json:"requestId"                required:"true"`
	Errors         []FieldError `json:"errors,omitempty"                         description:"Every bad field."`
	CurrentVersion int64        `json:"currentVersion,omitempty"                 description:"The version that the item has, after a failed precondition."`
}

// Message is an error that the gateway made, before or instead of the function.
type Message struct {
	Message string `json:"message" required:"true"`
}

// FieldError is what is wrong with one field.
type FieldError struct {
	Field   string `json:"field"   required:"true" description:"JSON pointer into the body, or the name of a header or parameter."`
	Message string `json:"message" required:"true"`
}

// Limits that no tag can say.
const (
	// MaxBody is the size of a request body in bytes, MaxBatchBody that of a
	// batch of writes: within the event it may be twice as large, and that has
	// 6 MB at most.
	MaxBody, MaxBatchBody = 256 << 10, 2 << 20
)
