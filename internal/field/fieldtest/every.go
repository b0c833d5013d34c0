// Package fieldtest makes values of declared types, for tests that none of them
// is lost or changed on its way.
package fieldtest

import "encoding/json"

// Colour is a string of a type of its own.
type Colour string

// Place is an object within another.
type Place struct {
	_    struct{} `minProperties:"1"`
	City string   `                  json:"city"          required:"true" minLength:"1"`
	Zip  *string  `                  json:"zip,omitempty"                               pattern:"^[0-9]{5}$" example:"01234"`
}

// Numbers are the numbers of Every.
type Numbers struct {
	Int      int          `json:"int"`
	Int8     int8         `json:"int8"`
	Int16    int16        `json:"int16"`
	Int32    int32        `json:"int32"`
	Int64    int64        `json:"int64"`
	Uint     uint         `json:"uint"`
	Uint8    uint8        `json:"uint8"`
	Uint16   uint16       `json:"uint16"`
	Uint32   uint32       `json:"uint32"`
	Uint64   uint64       `json:"uint64"`
	Float32  float32      `json:"float32"`
	Float64  float64      `json:"float64"`
	Exact    *json.Number `json:"exact,omitempty"`
	Percent  *float64     `json:"percent,omitempty" minimum:"0" maximum:"100"`
	Between  *int         `json:"between,omitempty"                           exclusiveMinimum:"-5" exclusiveMaximum:"5"`
	Size     *int64       `json:"size,omitempty"                                                                         enum:"1,2,-3"`
	Half     *json.Number `json:"half,omitempty"                                                                         enum:"0.5,1.50"`
	Count    int          `json:"count,omitempty"   minimum:"1"`
	Fallback int          `json:"fallback"                                                                                               default:"7"`
	Nothing  *int64       `json:"nothing"`
}

// Every has a field of each kind that is supported, with each constraint.
type Every struct {
	Text     string  `json:"text"               required:"true" minLength:"1" maxLength:"5"`
	Plain    string  `json:"plain"`
	Optional *string `json:"optional,omitempty"`
	Filled   string  `json:"filled,omitempty"                   minLength:"2"`
	Null     *string `json:"null"`
	Colour   *Colour `json:"colour,omitempty"                                               enum:"red,dark \"green\""`
	Tint     Colour  `json:"tint"                                                                                     default:"pale"`
	ID       *string `json:"itemId,omitempty"                                                                                        format:"uuid"      example:"01a20e01-f111-7a4a-b65a-dbd82bde526b"`
	Time     *string `json:"time,omitempty"                                                                                          format:"date-time" example:"2024-02-29T23:59:59.123456789+01:00"`
	Day      *string `json:"day,omitempty"                                                                                           format:"date"      example:"2024-02-29"`
	Code     *string `json:"code,omitempty"                                                                                                             example:"AB-12"                                pattern:"^[A-Z]{2}-[0-9]+$"`
	Numbers
	Flag      bool                      `json:"flag"`
	Maybe     *bool                     `json:"maybe,omitempty"`
	Unknown   *bool                     `json:"unknown"`
	Strings   []string                  `json:"strings,omitzero"                                                                                                                                                                                      maxItems:"3" items.maxLength:"2"`
	Needed    []int8                    `json:"needed"             required:"true"                                                                                                                                                                                                     items.minimum:"-1"`
	Pointers  []*string                 `json:"pointers,omitzero"`
	Matrix    [][]float64               `json:"matrix,omitzero"                                                                                                                                                                                                                                           items.minItems:"1" items.items.maximum:"9"`
	Places    []Place                   `json:"places,omitzero"`
	Labels    map[string]string         `json:"labels,omitzero"                                                                                                                                                                                                                                                                                      minProperties:"1" values.minLength:"1"`
	Scores    map[Colour][]uint16       `json:"scores,omitzero"                                                                                                                                                                                                                                                                                                                             values.maxItems:"2"`
	Free      map[string]any            `json:"free,omitzero"                                                                                                                                                                                                                                                                                                                                                   maxBytes:"2000"`
	Mixed     []any                     `json:"mixed,omitzero"`
	Place     *Place                    `json:"place,omitempty"`
	PlaceNull *Place                    `json:"placeNull"`
	Nested    struct{ Inner }           `json:"nested"`
	Deep      map[string]map[string]any `json:"deep,omitzero"`
	Any       any                       `json:"any"`
	Some      any                       `json:"some,omitempty"`
	Raw       json.RawMessage           `json:"raw,omitempty"`
}

// Inner is embedded in a struct without a name.
type Inner struct {
	A int `json:"a"`
}
