package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
)

// WriteJSON writes the report as indented JSON. If a figure is NaN or infinite, it
// returns an error that names the field. In a row that failed it writes 0 instead.
// WriteJSON also returns the error of w.
func WriteJSON(w io.Writer, r *Report) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return fmt.Errorf("report: json: %w", err)
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}

// encode returns the report as compact JSON. It escapes <, > and &, so that the JSON can
// stand in a script element.
func encode(r *Report) ([]byte, error) {
	clean, err := finite(reflect.ValueOf(r), "report", false)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(clean.Interface())
	if err != nil {
		return nil, fmt.Errorf("report: json: %w", err)
	}
	return text, nil
}

// ReadJSON reads a report that [WriteJSON] wrote. It returns an error if the JSON is not
// a report or has another schema than [Schema].
func ReadJSON(r io.Reader) (*Report, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("report: read: %w", err)
	}
	var head struct {
		Schema      *int            `json:"schema"`
		Contestants json.RawMessage `json:"contestants"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("report: read: not the JSON of a report: %w", locate(text, err))
	}
	switch {
	case head.Schema == nil || head.Contestants == nil:
		return nil, errors.New("report: read: not the JSON of a report: schema or contestants are missing")
	case *head.Schema != Schema:
		return nil, fmt.Errorf("report: read: schema %d, want %d: write the report again with this version",
			*head.Schema, Schema)
	}
	report := new(Report)
	if err := json.Unmarshal(text, report); err != nil {
		return nil, fmt.Errorf("report: read: %w", locate(text, err))
	}
	return report, nil
}

// locate adds the line number to an error of package json.
func locate(text []byte, err error) error {
	var offset int64
	if e := new(json.SyntaxError); errors.As(err, &e) {
		offset = e.Offset
	} else if e := new(json.UnmarshalTypeError); errors.As(err, &e) {
		offset = e.Offset
	} else {
		return err
	}
	offset = min(offset, int64(len(text)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:offset], []byte("\n")), err)
}

// finite returns a copy of v without NaN and infinite numbers. In a struct whose Failed is
// set they become zero; elsewhere they are an error.
func finite(v reflect.Value, path string, failed bool) (reflect.Value, error) {
	switch v.Kind() {
	case reflect.Float64:
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			if !failed {
				return v, fmt.Errorf("report: json: %s is %v", path, x)
			}
			return reflect.Zero(v.Type()), nil
		}
	case reflect.Pointer:
		if v.IsNil() {
			return v, nil
		}
		elem, err := finite(v.Elem(), path, failed)
		if err != nil {
			return v, err
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(elem)
		return p, nil
	case reflect.Slice:
		return finiteSlice(v, path, failed)
	case reflect.Struct:
		return finiteStruct(v, path, failed)
	}
	return v, nil
}

func finiteSlice(v reflect.Value, path string, failed bool) (reflect.Value, error) {
	if v.IsNil() {
		return v, nil
	}
	s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		elem, err := finite(v.Index(i), fmt.Sprintf("%s[%d]", path, i), failed)
		if err != nil {
			return v, err
		}
		s.Index(i).Set(elem)
	}
	return s, nil
}

func finiteStruct(v reflect.Value, path string, failed bool) (reflect.Value, error) {
	s := reflect.New(v.Type()).Elem()
	s.Set(v)
	if f := v.FieldByName("Failed"); f.IsValid() {
		failed = failed || f.String() != ""
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		elem, err := finite(v.Field(i), path+"."+name, failed)
		if err != nil {
			return v, err
		}
		s.Field(i).Set(elem)
	}
	return s, nil
}
